package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes the test program a glassheap, too: it is one when it is started under that name. So the scripts run what is
// tested, and so do the second processes that glassheap starts of itself.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"glassheap": main})
}

// TestScripts runs the scripts of testdata/script (see go doc github.com/rogpeppe/go-internal/testscript), which have a few
// commands more:
//
//	exits STATUS PROGRAM ARGUMENT…           runs a program that has to end with this status
//	eventually PROGRAM ARGUMENT…             runs a program until it succeeds
//	spawn NAME PATTERN PROGRAM ARGUMENT…     starts one, and waits until it has written the pattern; $NAME is then its process id
//	tell NAME LINE PATTERN                   writes a line to its input, and waits until it has written the pattern once more
//	wrote NAME PATTERN                       waits until it has written the pattern
//	interrupt NAME                           sends it SIGINT, and waits for its end, with status 0
//	close NAME                               closes its input, and waits likewise
//	capture NAME PATTERN                     gives $NAME what the pattern's group matched in the last output
//	json PATH WANT                           compares a value of the last output, which is JSON: findings.0.code, findings.length is how many
//	narrow COLUMNS                           expects no line of the last output to be wider
//	cut FILE BYTES                           cuts a file
//	leaker                                   gives $LEAKER, a program that loses blocks, and $OTHER, another executable
func TestScripts(t *testing.T) {
	recording, err := filepath.Abs("../../internal/mtrace/testdata/small.mtrace")
	if err != nil {
		t.Fatal(err)
	}
	yesterday, err := filepath.Abs("../../inspect/testdata/formats") // heaps of older formats
	if err != nil {
		t.Fatal(err)
	}
	leakerFolder = t.TempDir()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("RECORDING", recording)
			e.Setenv("YESTERDAY", yesterday)
			e.Setenv("SELF", strconv.Itoa(os.Getpid())) // a process without a heap
			name, value, _ := strings.Cut(raceSetting, "=")
			e.Setenv(name, value)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "eventually": eventually, "spawn": spawn, "tell": tell, "interrupt": interrupt, "close": closeInput, "wrote": wrote, "capture": capture, "json": jsonValue, "narrow": narrow, "cut": cut, "leaker": leaker,
		},
	})
}

// arguments ends a script that calls a command in another way than it has to be called.
func arguments(ts *testscript.TestScript, neg bool, args []string, least int, usage string) {
	if neg || len(args) < least {
		ts.Fatalf("usage: %s", usage)
	}
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 2, "exits STATUS PROGRAM ARGUMENT…")
	err := ts.Exec(args[1], args[2:]...)
	var ended *exec.ExitError
	status := 0
	if errors.As(err, &ended) {
		status = ended.ExitCode()
	} else {
		ts.Check(err)
	}
	if strconv.Itoa(status) != args[0] {
		ts.Fatalf("%s ended with status %d, not %s", args[1], status, args[0])
	}
}

func eventually(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 1, "eventually PROGRAM ARGUMENT…")
	for late := time.Now().Add(patience); ; {
		err := ts.Exec(args[0], args[1:]...)
		if err == nil {
			return
		}
		if time.Now().After(late) {
			ts.Fatalf("%s did not succeed in %v: %v", args[0], patience, err)
		}
	}
}

func narrow(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 1, "narrow COLUMNS")
	columns, err := strconv.Atoi(args[0])
	ts.Check(err)
	for line := range strings.Lines(ts.ReadFile("stdout")) {
		if utf8.RuneCountInString(strings.TrimSuffix(line, "\n")) > columns {
			ts.Fatalf("a line is wider than %d: %s", columns, line)
		}
	}
}

func cut(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 2, "cut FILE BYTES")
	bytes, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	ts.Check(os.Truncate(ts.MkAbs(args[0]), bytes))
}
