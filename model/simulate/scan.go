package simulate

// scanClients are what scanners and guessers of passwords on the internet send,
// by their share.
var scanClients = []scanClient{
	{0.30, "SSH-2.0-Go"},
	{0.18, "SSH-2.0-libssh_0.9.6"},
	{0.10, "SSH-2.0-libssh_0.10.6"},
	{0.08, "SSH-2.0-libssh2_1.4.3"},
	{0.07, "SSH-2.0-libssh2_1.9.0"},
	{0.07, "SSH-2.0-paramiko_2.8.1"},
	{0.05, "SSH-2.0-paramiko_3.4.0"},
	{0.05, "SSH-2.0-OpenSSH_7.4"},
	{0.04, "SSH-2.0-PUTTY"},
	{0.03, "SSH-2.0-ZGrab ZGrab SSH Survey"},
	{0.02, "SSH-2.0-JSCH-0.1.54"},
	{0.01, "SSH-2.0-AsyncSSH_2.1.0"},
}

type scanClient struct {
	share  float64
	banner string
}

// scanUsers are the names they try.
var scanUsers = []string{"root", "root", "root", "admin", "ubuntu", "test", "user", "oracle", "postgres", "git", "pi", "ftpuser"}

// returning is how many scanners of days before come again, over those that are new.
const returning = 0.03

// scanDay lets the internet knock at the exposed hosts: mostly addresses that
// never came before, all day and night.
func (s *simulation) scanDay(day int) {
	if s.cfg.ScanSources == 0 {
		return
	}
	r := s.scans
	if len(s.scanners) > 0 {
		for range poisson(r, returning*float64(s.cfg.ScanSources)) {
			s.scan(s.scanners[r.IntN(len(s.scanners))], day)
		}
	}
	for range poisson(r, float64(s.cfg.ScanSources)) {
		client := scanClients[pick(r, scanClients, func(c scanClient) float64 { return c.share })].banner
		id := int32(len(s.hosts))
		s.hosts = append(s.hosts, &host{addr: s.addr.takeInternet(r), role: scanner, team: -1, from: day, until: forever, seen: forever,
			clients: []clientUse{{banner: s.bannerID(client)}}, second: -1})
		s.scanners = append(s.scanners, id)
		s.scan(id, day)
	}
}

// scan lets one source try one exposed host, or several in a row. Nobody gets in.
func (s *simulation) scan(id int32, day int) {
	r := s.scans
	offset := r.Int64N(day24)
	hosts := geometric(r, 0.3, len(s.exposed))
	for _, i := range r.Perm(len(s.exposed))[:hosts] {
		for range geometric(r, 0.3, 20) {
			s.add(r, day, offset, record{src: id, dst: s.exposed[i], client: s.hosts[id].clients[0].banner,
				user: scanUsers[r.IntN(len(scanUsers))], attempts: uint8(between(r, 1, 6)), note: NoteScan})
			offset += int64(r.ExpFloat64()*20) * second
		}
	}
}

// foothold lets an intruder who holds an exposed host, by other means than SSH,
// go on to n servers inside.
func (s *simulation) foothold(day, n int) {
	r := s.attack
	src := s.exposed[r.IntN(len(s.exposed))]
	h := s.hosts[src]
	client := h.client(day).banner
	if chance(r, 0.3) {
		client = s.bannerID(novelTool(r))
	}
	offset := s.attackTime()
	for try := 0; n > 0 && try < tries; try++ {
		dst := s.servers[r.IntN(len(s.servers))]
		if s.hosts[dst].role == server && s.old(dst, day) && !h.uses(dst) && !s.attacked[pairKey(src, dst)] {
			offset = s.strike(r, day, offset, record{src: src, dst: dst, client: client, user: "root", label: LabelLateral, note: NoteFoothold})
			n--
		}
	}
}
