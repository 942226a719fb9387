package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/glassheap/glassheap/tests/bench/peers"
)

// invented is a comparison in which one aim is met, one missed and one not measured.
func invented() *Comparison {
	c := &Comparison{Rounds: 3, Absent: []peers.Absence{{Name: "tcmalloc", Why: "no such library", From: "apt-get"}}, Atomics: []Figure{figure("", "", "atomic add", 2, 2, 2)}}
	c.Figures = []Figure{
		figure("pair", "64", peers.Sealed, 4, 90, 3),
		figure("pair", "64", peers.ModerncMutex, 20, 21, 20),
		figure("burst", "64", peers.Sealed, 6, 6, 6),
		figure("burst", "64", peers.ModerncMutex, 10, 10, 10),
	}
	c.Aims = judge(c)
	return c
}

func figure(workload, size, name string, rounds ...float64) Figure {
	f := Figure{Workload: workload, Size: size, Name: name}
	for _, ns := range rounds {
		f.add(ns)
	}
	return f
}

func TestAims(t *testing.T) {
	got := map[string]string{}
	for _, a := range invented().Aims {
		got[a.Peer+" "+a.Workload+" of "+a.Of] = a.verdict()
	}
	for aim, want := range map[string]string{
		"sealed pair of modernc-mutex":  "met",
		"sealed burst of modernc-mutex": "missed",
		"plain pair of modernc-mutex":   "not measured",
	} {
		if got[aim] != want {
			t.Errorf("%s: %q, want %q", aim, got[aim], want)
		}
	}
}

// The mix's own loop, 2 ns with addresses and 3 ns with slices, is no part of a ratio.
func TestTheLoopIsSubtracted(t *testing.T) {
	c := &Comparison{Figures: []Figure{
		figure(peers.Mix, "lognormal", peers.Sealed, 10),
		figure(peers.Mix, "lognormal", peers.Make, 19),
		figure(peers.Mix, "lognormal", "loop", 2),
		figure(peers.Mix, "lognormal", "loop-slice", 3),
	}}
	if got := c.ratio(peers.Mix, "lognormal", peers.Sealed, peers.Make); got != 0.5 {
		t.Errorf("ratio %v, want 0.5", got)
	}
}

func TestTraces(t *testing.T) {
	var out bytes.Buffer
	arguments := []string{"-rounds", "1", "-time", "1ms", "-run", "^trace/.*/sealed$", "-traces", "../../internal/mtrace/testdata"}
	if err := run(arguments, &out, new(bytes.Buffer)); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "  trace/small  ") {
		t.Error(out.String())
	}
}

func TestMedian(t *testing.T) {
	for want, values := range map[float64][]float64{3: {90, 1, 3}, 2: {3, 1}, 7: {7}} {
		if got := median(values); got != want {
			t.Errorf("median of %v is %v, want %v", values, got, want)
		}
	}
}

func TestTables(t *testing.T) {
	var out strings.Builder
	if err := writeTables(&out, invented()); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"  pair/64      4.0           20.0\n",
		"  pair/64     0.20\n",
		"  pair/64            0.20\n",
		"  tcmalloc  no such library  apt-get\n",
		"  sealed burst/64              at most 0.50 of modernc-mutex  0.60  missed\n",
		"\naims: a first look, they are meant for at least 5 rounds\n",
		", 2175 % for the worst (pair/64/sealed)\n",
		"uncontended atomics of this machine: atomic add 2.0 ns\n",
	} {
		if !strings.Contains(out.String(), line) {
			t.Errorf("%q is missing from\n%s", line, out.String())
		}
	}
}

func TestMeasure(t *testing.T) {
	got := measure(func(n int) int { time.Sleep(time.Duration(n) * time.Millisecond); return n }, 20*time.Millisecond)
	if got < 1e6 || got > 100e6 {
		t.Errorf("an operation that sleeps for 1 ms takes %v ns", got)
	}
}

func TestRun(t *testing.T) {
	path := filepath.Join(t.TempDir(), "figures.csv")
	var out bytes.Buffer
	if err := run([]string{"-rounds", "2", "-time", "1ms", "-run", "^pair/64/", "-json", "-csv", path}, &out, new(bytes.Buffer)); err != nil {
		t.Fatal(err)
	}
	var c Comparison
	if err := json.Unmarshal(out.Bytes(), &c); err != nil {
		t.Fatal(err)
	}
	if len(c.Figures) != len(peers.All()) || c.Command != "go run"+tags()+" . -rounds 2 -time 1ms -run '^pair/64/'" {
		t.Errorf("%d figures by %q", len(c.Figures), c.Command)
	}
	csv, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(string(csv), "\n"); lines != 1+2*(len(c.Figures)+len(c.Atomics)) {
		t.Errorf("the CSV has %d lines:\n%s", lines, csv)
	}
}

func TestWrongArguments(t *testing.T) {
	for arguments, want := range map[string]string{
		"-rounds 0":   "at least 1",
		"-time 0s":    "must be positive",
		"-run (":      "missing closing )",
		"-run nobody": "matches nothing",
		"-traces x":   "no *.mtrace",
		"more":        "unexpected argument",
	} {
		err := run(strings.Fields(arguments), new(bytes.Buffer), new(bytes.Buffer))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one that says %q", arguments, err, want)
		}
	}
}
