package graphbuf

// list holds many doubly linked rings over one set of items, each item in at most one.
// Items and heads are linked by number, a head by its complement.
type list struct {
	head, item []link
}

type link struct{ next, prev int32 }

// newList makes a list with so many rings and room for some items. Lists of the same items should differ in
// that: the event that finds no room waits while one is moved, and not while all are.
func newList(heads, room int) list {
	l := list{item: make([]link, 1, room)}
	for range heads {
		l.addHead()
	}
	return l
}

func (l *list) addHead() {
	h := ^int32(len(l.head))
	l.head = append(l.head, link{h, h})
}

func (l *list) addItem() { l.item = append(l.item, link{}) }

func (l *list) at(i int32) *link {
	if i < 0 {
		return &l.head[^i]
	}
	return &l.item[i]
}

func (l *list) pushFront(head, i uint32) {
	h := ^int32(head)
	ring := &l.head[head]
	first := ring.next
	l.item[i] = link{next: first, prev: h}
	l.at(first).prev = int32(i)
	ring.next = int32(i)
}

func (l *list) pushBack(head, i uint32) {
	h := ^int32(head)
	ring := &l.head[head]
	last := ring.prev
	l.item[i] = link{next: h, prev: last}
	l.at(last).next = int32(i)
	ring.prev = int32(i)
}

func (l *list) remove(i uint32) {
	k := l.item[i]
	l.at(k.prev).next = k.next
	l.at(k.next).prev = k.prev
}

// moveToFront puts an item that is in some ring first in the given one.
func (l *list) moveToFront(head, i uint32) {
	if l.head[head].next != int32(i) {
		l.remove(i)
		l.pushFront(head, i)
	}
}

// back returns the last item of a ring, 0 when it is empty.
func (l *list) back(head uint32) uint32 {
	if p := l.head[head].prev; p >= 0 {
		return uint32(p)
	}
	return 0
}
