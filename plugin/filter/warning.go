package filter

// Warning is a line of the log about the records, in its parts, for who says them otherwise.
type Warning struct {
	About  About
	What   string
	Remedy string // what to do about it, "" where that is not known
	More   string // sentences behind the other two, which are sentences then; "" for none
}

// About is what a warning is about.
type About int

// What warnings are about, as far as it matters.
const (
	AboutOther  About = iota
	AboutMisfit       // records of which hardly any has a source and a destination
	AboutOnly         // records of which none fulfils the conditions
	AboutTimes        // records of which none has a time of its own
	AboutParts        // sessions of which none has a value in some field
	AboutUnread       // records whose time cannot be read
)

// Line is the warning as the log has it.
func (w Warning) Line() string {
	text, between := w.What, "; "
	if w.More != "" {
		between = " "
	}
	for _, part := range []string{w.Remedy, w.More} {
		if part != "" {
			text += between + part
		}
	}
	return text
}

// warn logs a warning, or hands it to a host that takes it in its parts.
func (c *common) warn(w Warning) {
	if h, ok := c.host.(interface{ Warn(Warning) }); ok {
		h.Warn(w)
		return
	}
	c.host.Log(LevelWarn, w.Line())
}
