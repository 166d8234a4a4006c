package doctor

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"flb-filter-rgcn/plugin/doctor/hostconf"
)

// notRun is the value of Options.FluentBit for not running it.
const notRun = "none"

// The releases of Fluent Bit with which the filter was tried.
var oldestHost, newestHost = [2]int{2, 2}, [2]int{5, 1}

// fluentBit has Fluent Bit itself check the configuration, with the filter in it, without starting anything: --dry-run.
// object is the path of the shared object, "" where there is none that loads.
func (e *examination) fluentBit(ctx context.Context, object string, named bool) {
	if e.FluentBit == notRun {
		e.initialises(ctx, object)
		return
	}
	program := e.FluentBit
	if program == "" {
		program = findFluentBit()
	}
	if program == "" {
		e.findings.add(OK, TopicFluentBit, "", "there is no fluent-bit on the PATH, so it did not check the configuration itself", "")
		e.initialises(ctx, object)
		return
	}
	if !e.hostVersion(ctx, program) {
		return
	}
	if object == "" && !named {
		return // reported already; the check would only fail
	}
	args := []string{"--dry-run"}
	if object != "" && (!named || e.Plugin != "") {
		args = append(args, "-e", object)
	}
	what := "the filter with its defaults"
	if e.conf != nil {
		if at := e.goesAway(); at != "" {
			e.findings.add(OK, TopicFluentBit, "", "Fluent Bit's own check of the configuration was left out: with Daemon On ("+at+") it would go to the background", "")
			return
		}
		what = e.conf.Path
		args = append(args, "-c", e.Conf)
	} else {
		args = append(args, "-i", "dummy", "-F", "rgcn", "-m", "*", "-o", "null")
	}
	r, err := run(ctx, nil, program, args...)
	switch {
	case err != nil:
		e.findings.add(Warning, TopicFluentBit, "", fmt.Sprintf("%s cannot be run: %v", program, err), "name another: -fluent-bit PATH, or none")
	case r.late:
		e.findings.add(Warning, TopicFluentBit, "", fmt.Sprintf("%s did not end within %v", commandLine(program, args), runTimeout), "run it by hand")
	case r.code == 0:
		e.findings.add(OK, TopicFluentBit, "", fmt.Sprintf("%s takes %s (--dry-run)", program, what), "")
	default:
		said := having(r.output, "[error]", "Error:", "error while loading")
		if len(said) == 0 {
			said = having(r.output, "")
		}
		level, fix := Problem, "correct that first, then run: "+commandLine(program, args)
		if e.findings.Count(Problem) > 0 { // usually the same problem
			level, fix = Warning, "correct the problems above, then run rgcn doctor again"
		}
		e.findings.add(level, TopicFluentBit, "", fmt.Sprintf("%s refuses %s", program, what), fix)
		e.findings.more(said...)
	}
}

func commandLine(program string, args []string) string {
	return program + " " + strings.Join(args, " ")
}

// findFluentBit returns the program, also where packages and images put it, which is not on the PATH.
func findFluentBit() string {
	for _, name := range []string{"fluent-bit", "/opt/fluent-bit/bin/fluent-bit", "/fluent-bit/bin/fluent-bit"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

var hostVersion = regexp.MustCompile(`Fluent Bit v(\d+)\.(\d+)(\.\d+)?`)

// hostVersion reports which release it is and whether the filter works with it.
func (e *examination) hostVersion(ctx context.Context, program string) bool {
	r, err := run(ctx, nil, program, "--version")
	m := hostVersion.FindStringSubmatch(r.output)
	if err != nil || m == nil {
		text := "does not tell its version"
		if err != nil {
			text = "cannot be run: " + innermost(err).Error()
		}
		e.findings.add(Warning, TopicFluentBit, "", program+" "+text, "name another: -fluent-bit PATH, or none")
		return false
	}
	major, _ := strconv.Atoi(m[1])
	minor, _ := strconv.Atoi(m[2])
	is := [2]int{major, minor}
	switch {
	case before(is, oldestHost):
		e.findings.add(Problem, TopicFluentBit, "", m[0]+" is too old: the filter needs 2.2 or newer", "upgrade Fluent Bit")
		return false
	case before(newestHost, is):
		e.findings.add(Warning, TopicFluentBit, "", m[0]+" is newer than the releases that the filter was tried with, up to 5.1", "try it before it matters; most likely it works")
	}
	return true
}

func before(a, b [2]int) bool { return a[0] < b[0] || a[0] == b[0] && a[1] < b[1] }

// innermost is the cause of an error, without the operation and the path.
func innermost(err error) error {
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return err
}

// goesAway is where the configuration would have Fluent Bit go to the background even for a check, "" if it does not.
func (e *examination) goesAway() string {
	for _, s := range e.conf.All(hostconf.Service, "daemon") {
		if on(s.Value) {
			return s.At.String()
		}
	}
	return ""
}

// on reads a switch as Fluent Bit does.
func on(text string) bool {
	switch strings.ToLower(text) {
	case "true", "on", "yes":
		return true
	}
	return false
}

// initialises has a process of its own load the shared object, where no Fluent Bit does: its runtime starts when it is
// loaded.
func (e *examination) initialises(ctx context.Context, object string) {
	if object == "" {
		return
	}
	object, err := filepath.Abs(object)
	if err != nil {
		return
	}
	program, err := exec.LookPath("true")
	if err != nil || loaderOf(program) == "" || strings.ContainsAny(object, ": ") { // what the variable cannot name
		return
	}
	r, err := run(ctx, []string{"LD_PRELOAD=" + object, "LD_BIND_NOW=yes"}, program)
	switch refused := having(r.output, "cannot be preloaded", "error", "panic", "fatal"); {
	case err != nil:
	case r.late || r.code != 0 || len(refused) > 0:
		e.findings.add(Problem, TopicPlugin, "", fmt.Sprintf("%s ends the process that loads it (exit %d): %s", object, r.code, strings.Join(refused, "; ")), "take the file of a release")
	default:
		e.findings.add(OK, TopicPlugin, "", object+" starts in a process of its own", "")
	}
}
