package simulate

import (
	"fmt"
	"math/rand/v2"
)

// churn plans the changes of a day that have a rate of their own.
func (w *world) churn(r *rand.Rand, day int) {
	if w.cfg.TakeUps > 0 {
		for range poisson(r, w.cfg.TakeUps) {
			for try := 0; try < tries && !w.takeUp(r, day); try++ {
			}
		}
	}
	if w.cfg.ClientChanges > 0 {
		for range poisson(r, w.cfg.ClientChanges) {
			for try := 0; try < tries && !w.changeClient(r, day); try++ {
			}
		}
	}
}

// takeUp lets someone use another server of their team from a day on. It fails if
// the person drawn has the server drawn already.
func (w *world) takeUp(r *rand.Rand, day int) bool {
	h := w.somePerson(r, day)
	return w.addHabit(r, h, w.someServer(r, h.team, day), day, forever, NoteOwnTeam)
}

// changeClient moves someone to a client of any family and version at some time
// of a day. It fails if the person drawn has had the client before, or changes
// clients on that day already.
func (w *world) changeClient(r *rand.Rand, day int) bool {
	h := w.somePerson(r, day)
	family := families[pick(r, families, func(f family) float64 { return f.workstations })].banners
	version := r.IntN(len(family))
	banner := w.bannerID(family[version])
	if h.sends(banner) || len(h.clients) > 1 && h.clients[len(h.clients)-1].from >= day {
		return false
	}
	h.family, h.version = family, version
	h.clients = append(h.clients, clientUse{from: day, banner: banner, at: max(workingTime(r), 1), note: NoteClientChange})
	return true
}

// usersOfRare is how many people use each of the rare clients.
const usersOfRare = 5

// addClients brings the client banners of the enterprise up to Config.Clients: it
// gives rare ones to people who have no second client. It comes after the plans
// for all days, which bring banners of their own.
func (w *world) addClients(r *rand.Rand) {
	for i := 0; len(w.banners) < w.cfg.Clients; i++ {
		banner := w.bannerID(rareClient(i))
		for range usersOfRare {
			for range tries {
				if h := w.somePerson(r, 0); h.second < 0 {
					h.second = banner
					break
				}
			}
		}
	}
}

// rareClient is the i-th of the clients that only a few people use: each version
// of a library or a terminal is one more.
func rareClient(i int) string {
	formats := []string{"SSHJ_0.%d.0", "phpseclib_3.0.%d", "WinSCP_release_5.%d.0", "Cyberduck_8.%d.0", "ssh2js1.%d.0", "TTSSH_3.%d Win32", "Twisted_22.%d.0", "SecureCRT_9.%d.0"}
	return "SSH-2.0-" + fmt.Sprintf(formats[i%len(formats)], 1+i/len(formats))
}
