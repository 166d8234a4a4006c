package simulate

const (
	fewestMoves, mostMoves = 2, 4
	// How long an intruder stays on a host before going on, on average and at least.
	meanRest  = 90 * 60 * second
	leastRest = 3 * 60 * second
)

// chain lets an intruder who holds a workstation move from host to host: each one reached is the source of the next
// move, within minutes to hours. Some moves go to two servers. Config.Chains has them.
func (s *simulation) chain(day int) {
	r := s.chains
	from := s.knownPerson(r, day)
	if from < 0 {
		return
	}
	offset := max(7*hour, s.attackFrom) + r.Int64N(7*hour)
	client := s.hosts[from].client(day).banner
	for range between(r, fewestMoves, mostMoves) {
		reached := int32(-1)
		for range geometric(r, 0.3, 2) {
			if dst := s.foreignServer(r, from, day); dst >= 0 {
				offset = s.strike(r, day, offset, record{src: from, dst: dst, client: client, user: "root", label: LabelLateral, note: NoteChain})
				reached = dst
			}
		}
		offset += leastRest + int64(r.ExpFloat64()*float64(meanRest-leastRest))
		if reached < 0 || offset >= day24 {
			return
		}
		from = reached
		if client = s.hosts[from].client(day).banner; chance(r, 0.3) {
			client = s.bannerID(novelTool(r))
		}
	}
}
