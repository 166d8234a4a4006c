package simulate

import (
	"math/rand/v2"
	"testing"
)

func TestNovelToolIsNobodys(t *testing.T) {
	known := map[string]bool{}
	add := func(banners ...string) {
		for _, b := range banners {
			known[b] = true
		}
	}
	for _, f := range families {
		add(f.banners...)
	}
	for _, tools := range automationTools {
		add(tools...)
	}
	for _, c := range scanClients {
		add(c.banner)
	}
	add(secondClients...)
	for i := range maxClients {
		add(rareClient(i))
	}
	r := rand.New(rand.NewPCG(1, 0))
	for range 200_000 { // of some 4,000 there are
		if banner := novelTool(r); known[banner] {
			t.Fatalf("%s is a benign client or a scanner's", banner)
		}
	}
}
