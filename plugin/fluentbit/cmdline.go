package fluentbit

import (
	"path/filepath"
	"strings"
)

// commandLine is what of Fluent Bit's command line says where its files are.
type commandLine struct {
	config  string // the last of several; "" where none is named
	workdir string // likewise
	loads   bool   // this plugin is loaded by -e, before Fluent Bit changes to its working directory
}

// withArgument are Fluent Bit's short options that take an argument. The others can stand in front of one: -vc FILE.
const withArgument = "bfCimMoRrFpetTlwLPsc"

// parse reads the arguments of a program as getopt_long does: -c FILE, -cFILE, -vc FILE, --config FILE, --config=FILE and
// the long ones cut short.
func parse(args []string) (l commandLine) {
	for i := 1; i < len(args) && args[i] != "--"; i++ {
		option, value, whole := "", "", false
		switch a := args[i]; {
		case strings.HasPrefix(a, "--"):
			option, value, whole = strings.Cut(a[2:], "=")
		case strings.HasPrefix(a, "-"):
			at := strings.IndexAny(a[1:], withArgument) + 1
			if at == 0 {
				continue
			}
			option, value = a[at:at+1], a[at+1:]
			whole = value != ""
		default:
			continue
		}
		into := l.of(option)
		if into == nil && len(option) > 1 { // a long one, which may take none
			continue
		}
		if !whole {
			if i++; i == len(args) {
				break
			}
			value = args[i]
		}
		if into != nil {
			into(value)
		}
	}
	return l
}

// of is what an option sets; nil where it is none of these.
func (l *commandLine) of(option string) func(value string) {
	is := func(short, long, least string) bool {
		return option == short || strings.HasPrefix(option, least) && strings.HasPrefix(long, option)
	}
	switch {
	case is("c", "config", "con"):
		return func(value string) { l.config = value }
	case is("w", "workdir", "wo"):
		return func(value string) { l.workdir = value }
	case is("e", "plugin", "pl"):
		return func(value string) { l.loads = l.loads || strings.Contains(filepath.Base(value), "rgcn") }
	}
	return nil
}

// configDirectory returns the directory of the configuration that a program's arguments name; its working directory
// where they name none. started is the directory in which this plugin was loaded.
func configDirectory(args []string, started string) string {
	l := parse(args)
	if l.workdir != "" && l.loads {
		started = under(started, l.workdir)
	}
	if l.config == "" {
		return started
	}
	return filepath.Dir(under(started, l.config))
}

// under is a path as seen from a directory.
func under(directory, path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(directory, path)
}
