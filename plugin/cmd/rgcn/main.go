// Command rgcn is the filter as an offline tool: the same instance that Fluent Bit loads,
// over the records of files.
//
// It owns the command line: flags, the reading and writing of files, messages on
// standard error, exit statuses. It never knows how a record is scored, how a model is
// trained or what a state directory holds: package filter does.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
)

// Exit statuses. Those above 128 are the ones that a shell reports for a process that a signal ended.
const (
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 128 + int(syscall.SIGINT)
	exitPipe        = 128 + int(syscall.SIGPIPE)
)

// command is a subcommand, the word after rgcn.
type command struct {
	name    string
	args    string // of the usage line, after the flags
	summary string // what it does, in one line
	more    string // further text for its own help; may be ""
	example string
	// setup declares the flags and returns what to do once they are parsed.
	setup func(fs *flag.FlagSet) func(ctx context.Context, e *env) error
}

// commands in the order of the overview.
var commands = []command{replayCommand, trainCommand, scoreCommand, lowestCommand, predictCommand, reportCommand, statusCommand, doctorCommand, allowCommand, keygenCommand, simulateCommand, evalCommand, versionCommand}

// env is what a command works with beside its flags.
type env struct {
	*console
	stdout io.Writer
	args   []string // what is left of the command line after the flags
}

// usageError is a mistake in the command line.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

func main() {
	// With SIGPIPE ignored, a closed pipe is an error of the write, and what was learned is still saved.
	signal.Ignore(syscall.SIGPIPE)
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as nohup has it
		signals = append(signals, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), signals...)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(execute(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// execute runs one command and returns the exit status. Standard input is os.Stdin, which package logfile reads.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		fmt.Fprint(stderr, overview())
		return exitUsage
	}
	name := args[0]
	args = args[1:]
	if isHelp(name) {
		if len(args) == 0 || isHelp(args[0]) {
			return tell(stdout, stderr, func(w io.Writer) { io.WriteString(w, overview()) })
		}
		name, args = args[0], []string{"-h"}
	}
	if isVersion(name) {
		name = versionCommand.name
	}
	i := slices.IndexFunc(commands, func(c command) bool { return c.name == name })
	if i < 0 {
		fmt.Fprintf(stderr, "rgcn: unknown command %q: want %s\nrun 'rgcn help'\n", name, strings.Join(commandNames(), ", "))
		return exitUsage
	}
	c := &commands[i]
	e := &env{console: newConsole(stderr), stdout: stdout}
	fs, do := c.flags(e)
	err := parse(fs, args, e)
	if errors.Is(err, flag.ErrHelp) {
		return tell(stdout, stderr, func(w io.Writer) { c.help(w, fs) })
	}
	if err == nil {
		err = do(ctx, e)
	}
	return e.finish(c, err)
}

// tell writes a help text and returns the exit status.
func tell(stdout, stderr io.Writer, write func(w io.Writer)) int {
	w := bufio.NewWriter(stdout)
	write(w)
	switch err := w.Flush(); {
	case errors.Is(err, syscall.EPIPE):
		return exitPipe
	case err != nil:
		fmt.Fprintln(stderr, "rgcn:", err)
		return exitFailed
	}
	return 0
}

// isVersion reports whether an argument is one of the usual ways to ask for the version.
func isVersion(word string) bool {
	return slices.Contains([]string{"-version", "--version", "-V"}, word)
}

func isHelp(word string) bool {
	return slices.Contains([]string{"help", "-h", "-help", "--help"}, word)
}

func commandNames() (names []string) {
	for _, c := range commands {
		names = append(names, c.name)
	}
	return names
}

// finish logs how a command ended and returns the exit status.
func (e *env) finish(c *command, err error) int {
	var usage usageError
	switch {
	case err == nil:
		return 0
	case errors.Is(err, context.Canceled):
		text := "interrupted"
		if _, more, ok := strings.Cut(err.Error(), context.Canceled.Error()); ok {
			text += more // what became of the work
		}
		e.printf("rgcn %s: %s", c.name, text)
		return exitInterrupted
	case errors.Is(err, syscall.EPIPE):
		return exitPipe // the reader of the output has closed it, as head does
	case errors.As(err, &usage):
		e.printf("rgcn %s: %v\nrun 'rgcn %s -h'", c.name, err, c.name)
		return exitUsage
	}
	e.printf("rgcn %s: %v", c.name, err)
	return exitFailed
}

// flags returns the flags of the command, its own and those of every command.
func (c *command) flags(e *env) (*flag.FlagSet, func(context.Context, *env) error) {
	fs := flag.NewFlagSet(c.name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	do := c.setup(fs)
	fs.BoolVar(&e.verbose, "v", false, "say more, for debugging")
	fs.BoolVar(&e.quiet, "q", false, "say errors only")
	return fs, do
}

// parse parses the flags wherever they stand among the arguments; "--" ends them.
func parse(fs *flag.FlagSet, args []string, e *env) error {
	var rest []string
	if i := slices.Index(args, "--"); i >= 0 {
		args, rest = args[:i], args[i+1:]
	}
	for len(args) > 0 {
		if err := fs.Parse(args); err != nil {
			if !errors.Is(err, flag.ErrHelp) {
				err = usageError{err}
			}
			return err
		}
		if args = fs.Args(); len(args) > 0 {
			e.args, args = append(e.args, args[0]), args[1:]
		}
	}
	e.args = append(e.args, rest...)
	return nil
}

func overview() string {
	var b strings.Builder
	b.WriteString("rgcn scores SSH sessions by how usual it is who talks to whom: the Fluent Bit filter, offline.\n\nUsage: rgcn COMMAND [flags] ...\n\nCommands:\n")
	for _, c := range commands {
		fmt.Fprintf(&b, "  %-10s%s\n", c.name, c.summary)
	}
	b.WriteString("  help      this overview; 'rgcn COMMAND -h' tells a command's flags\n")
	return b.String()
}

func (c *command) help(w io.Writer, fs *flag.FlagSet) {
	more := ""
	if c.more != "" {
		more = "\n\n" + c.more
	}
	fmt.Fprintf(w, "%s%s\n\nUsage:   rgcn %s [flags] %s\nExample: %s\n\nFlags:\n", c.summary, more, c.name, c.args, c.example)
	fs.SetOutput(w)
	fs.PrintDefaults()
}
