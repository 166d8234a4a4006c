package eval

import (
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"
)

// World is what the methods did in one world: simulated or real sessions with attacks, or pairs to tell from made-up ones.
type World struct {
	Name    string   `json:"world"`
	Figures []Figure `json:"figures"` // the first one is that by which methods are compared
}

// Figure is one figure of each method, the same methods in the same order everywhere.
type Figure struct {
	Name    string         `json:"figure"`
	Methods []MethodSpread `json:"methods"`
}

// MethodSpread is one figure of one method.
type MethodSpread struct {
	Method string `json:"method"`
	Value  Spread `json:"value"`
}

// Gap is by how much the first method is ahead of the best of the others in a world, by its first figure.
type Gap struct {
	World  string  `json:"world"`
	Figure string  `json:"figure"`
	Best   string  `json:"best_other"`
	By     float64 `json:"ahead"` // negative: behind
}

// AblationPrefix begins the name of a method that is the first one with a part left out, and no other method.
const AblationPrefix = "  "

// Gap returns the gap, and false where there is nothing to compare.
func (w *World) Gap() (Gap, bool) {
	f := &w.Figures[0]
	g := Gap{World: w.Name, Figure: f.Name, By: math.Inf(1)}
	for _, other := range f.Methods[1:] {
		by := f.Methods[0].Value.Mean - other.Value.Mean
		if by < g.By && !strings.HasPrefix(other.Method, AblationPrefix) { // false for what is no number
			g.Best, g.By = other.Method, by
		}
	}
	return g, g.Best != ""
}

// Worst is the gap in the world where the first method compares worst, nil where there is none.
func Worst(worlds []World) (worst *Gap) {
	for i := range worlds {
		if g, ok := worlds[i].Gap(); ok && (worst == nil || g.By < worst.By) {
			worst = &g
		}
	}
	return worst
}

// String says the gap in words.
func (g Gap) String() string {
	where := "above"
	if g.By < 0 {
		where = "below"
	}
	return fmt.Sprintf("%.3f %s %s", math.Abs(g.By), where, g.Best)
}

// PrintWorlds writes a table with a line for each figure of each world and a column for each method, and says where the
// first method compares worst.
func PrintWorlds(w io.Writer, worlds []World) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	methods := worlds[0].Figures[0].Methods
	fmt.Fprint(t, "WORLD\tFIGURE")
	for _, m := range methods {
		fmt.Fprintf(t, "\t%s", strings.TrimPrefix(m.Method, AblationPrefix))
	}
	fmt.Fprintf(t, "\t%s IS\n", methods[0].Method)
	for i := range worlds {
		name := worlds[i].Name
		gap := "-"
		if g, ok := worlds[i].Gap(); ok {
			gap = g.String()
		}
		for _, f := range worlds[i].Figures {
			fmt.Fprintf(t, "%s\t%s", name, f.Name)
			for _, m := range f.Methods {
				fmt.Fprintf(t, "\t%s", m.Value.text(3))
			}
			fmt.Fprintf(t, "\t%s\n", gap)
			name, gap = "", ""
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if g := Worst(worlds); g != nil {
		_, err := fmt.Fprintf(w, "worst: %s, %s %s\n", g.World, g.Figure, g)
		return err
	}
	return nil
}

// Gather makes a World of one run for each seed; each run holds the figures, in the order of their names, of each method.
func Gather(name string, figures, methods []string, runs [][][]float64) World {
	w := World{Name: name}
	for i, figure := range figures {
		f := Figure{Name: figure}
		for m, method := range methods {
			f.Methods = append(f.Methods, MethodSpread{method, spreadOf(len(runs), func(run int) float64 { return runs[run][m][i] })})
		}
		w.Figures = append(w.Figures, f)
	}
	return w
}
