package hostconf

import (
	"os"
	"strings"
)

// env holds the values of variables: the configuration's own, else those of the environment.
type env struct {
	set    map[string]string
	getenv func(string) (string, bool)
	unset  []Use
}

func newEnv(getenv func(string) (string, bool)) *env {
	return &env{set: map[string]string{}, getenv: getenv}
}

// value is that of a variable. One that is empty in the environment counts as not set.
func (e *env) value(name string) (string, bool) {
	if v, ok := e.set[name]; ok {
		return v, true
	}
	if v, ok := e.getenv(name); ok && v != "" {
		return v, true
	}
	if name == "HOSTNAME" { // Fluent Bit sets it itself
		if host, err := os.Hostname(); err == nil {
			return host, true
		}
	}
	return "", false
}

// longestVariable is the number of bytes between the braces that Fluent Bit reads.
const longestVariable = 4095

// replace replaces ${NAME} and ${NAME:-default} by their values.
func (e *env) replace(text string, at Place) string {
	var out strings.Builder
	for {
		start := strings.Index(text, "${")
		end := strings.IndexByte(text, '}')
		if start < 0 || end <= start+2 || end-start-2 > longestVariable {
			out.WriteString(text)
			return out.String()
		}
		out.WriteString(text[:start])
		name := text[start+2 : end]
		text = text[end+1:]
		name, fallback, hasFallback := strings.Cut(name, ":-")
		value, ok := e.value(name)
		switch {
		case ok && (value != "" || !hasFallback):
			out.WriteString(value)
		case hasFallback:
			out.WriteString(fallback)
		default:
			e.unset = append(e.unset, Use{name, at})
		}
	}
}
