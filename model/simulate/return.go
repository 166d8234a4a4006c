package simulate

// remember keeps an attack triplet, by one of its sessions, for the days to come.
func (s *simulation) remember(rec record) {
	if s.cfg.Returns > 0 && rec.note != NoteReturn {
		s.struck = append(s.struck, rec)
	}
}

// comeBack has intruders use triplets of the days before again, each with the chance of Config.Returns.
func (s *simulation) comeBack(day int, before []record) {
	for _, rec := range before {
		if chance(s.returns, s.cfg.Returns) {
			rec.note = NoteReturn
			s.strike(s.returns, day, max(7*hour, s.attackFrom)+s.returns.Int64N(7*hour), rec)
		}
	}
}
