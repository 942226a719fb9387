// Command bench compares glassheap with the allocators that Go programs use today. README.md says what it measures and how
// to read it.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"runtime/debug"
	"time"
)

func main() {
	err := run(os.Args[1:], os.Stdout, os.Stderr)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	}
}

// plan is what the flags ask for.
type plan struct {
	rounds  int
	time    time.Duration // of one measurement
	only    *regexp.Regexp
	traces  string // a folder of recordings
	csvPath string
	svgPath string
	json    bool
}

func run(arguments []string, out, progress io.Writer) error {
	plan, err := parse(arguments, progress)
	if err != nil {
		return err
	}
	comparison, err := compare(plan, newProgress(progress))
	if err != nil {
		return err
	}
	if plan.csvPath != "" {
		if err := writeFile(plan.csvPath, comparison, writeCSV); err != nil {
			return err
		}
	}
	if plan.svgPath != "" {
		if err := writeFile(plan.svgPath, comparison, writeChart); err != nil {
			return err
		}
	}
	if plan.json {
		return writeJSON(out, comparison)
	}
	return writeTables(out, comparison)
}

func parse(arguments []string, usage io.Writer) (plan, error) {
	var p plan
	var only string
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // its errors are returned, and printed once
	flags.IntVar(&p.rounds, "rounds", 5, "the `number` of turns through all workloads and peers")
	flags.DurationVar(&p.time, "time", 200*time.Millisecond, "the `duration` of one measurement")
	flags.StringVar(&only, "run", "", "measure only what this `regexp` matches, as in '^pair/64/(sealed|make)$'")
	flags.StringVar(&p.traces, "traces", "", "replay the recordings by mtrace() in this `folder`, too: *.mtrace, *.mtrace.gz, *.mtrace.zst")
	flags.StringVar(&p.csvPath, "csv", "", "write the figure of every round to this `file`")
	flags.StringVar(&p.svgPath, "svg", "", "draw a chart in this `file`")
	flags.BoolVar(&p.json, "json", false, "print JSON instead of tables")
	err := flags.Parse(arguments)
	switch {
	case errors.Is(err, flag.ErrHelp):
		flags.SetOutput(usage)
		flags.Usage()
		return p, err
	case err != nil:
		return p, fmt.Errorf("%w (-h lists the flags)", err)
	case flags.NArg() > 0:
		return p, fmt.Errorf("unexpected argument %q: everything is a flag (-h lists them)", flags.Arg(0))
	case p.rounds < 1:
		return p, fmt.Errorf("-rounds is %d: it must be at least 1", p.rounds)
	case p.time <= 0:
		return p, fmt.Errorf("-time is %v: it must be positive", p.time)
	}
	if p.only, err = regexp.Compile(only); err != nil {
		return p, fmt.Errorf("-run: %w", err)
	}
	return p, nil
}

// command is the command line that repeats the run, defaults spelled out: they may change.
func (p plan) command() string {
	line := fmt.Sprintf("go run%s . -rounds %d -time %v", tags(), p.rounds, p.time)
	if p.only.String() != "" {
		line += fmt.Sprintf(" -run '%s'", p.only)
	}
	if p.traces != "" {
		line += " -traces " + p.traces
	}
	return line
}

// tags are the build tags of this program, as a flag.
func tags() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, s := range info.Settings {
		if s.Key == "-tags" {
			return " -tags " + s.Value
		}
	}
	return ""
}
