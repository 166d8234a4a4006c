package fluentbit

import (
	"path/filepath"
	"strings"
)

// configFile finds -c FILE, -cFILE, --config FILE and --config=FILE among a program's arguments; of several the last
// counts. It returns "" for none.
func configFile(args []string) (file string) {
	for i := 1; i < len(args); i++ {
		switch a := args[i]; {
		case (a == "-c" || a == "--config") && i+1 < len(args):
			i++
			file = args[i]
		case strings.HasPrefix(a, "--config="):
			file = strings.TrimPrefix(a, "--config=")
		case strings.HasPrefix(a, "-c") && !strings.HasPrefix(a, "--"):
			file = strings.TrimPrefix(a, "-c")
		}
	}
	return file
}

// configDirectory returns the directory of the configuration that a program's arguments name; the one in which the
// program was started where they name none.
func configDirectory(args []string, started string) string {
	file := configFile(args)
	switch {
	case file == "":
		return started
	case filepath.IsAbs(file):
		return filepath.Dir(file)
	}
	return filepath.Join(started, filepath.Dir(file))
}
