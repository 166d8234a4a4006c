package fluentbit

import (
	"path/filepath"
	"strings"
)

// configDirectory finds -c FILE, -cFILE, --config FILE and --config=FILE among a program's arguments; of several the last
// counts. It returns the absolute path of that file's directory, "" for none.
func configDirectory(args []string) string {
	file := ""
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
	if file == "" {
		return ""
	}
	directory, err := filepath.Abs(filepath.Dir(file))
	if err != nil {
		return ""
	}
	return directory
}
