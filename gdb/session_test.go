package gdb

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/internal/debugging"
)

var update = flag.Bool("update", false, "rewrite the golden files and the transcripts of docs/gdb.md")

// What the tests share: built once, removed at the end.
var shared struct {
	sync.Mutex
	folder string
	built  map[string]string
}

func TestMain(m *testing.M) {
	flag.Parse()
	folder, err := os.MkdirTemp("", "glassheap-gdb-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	shared.folder, shared.built = folder, map[string]string{}
	status := m.Run()
	_ = os.RemoveAll(folder)
	os.Exit(status)
}

// needGDB skips a test where there is no gdb. In CI it fails: there nobody reads what was skipped.
func needGDB(t *testing.T) string {
	t.Helper()
	path, err := find()
	if err == nil {
		return path
	}
	skip(t, err.Error())
	return ""
}

// skip skips a test that lacks something, which the reason names. In CI it fails.
func skip(t *testing.T, reason string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(reason)
	}
	t.Skip(reason)
}

var find = sync.OnceValues(func() (string, error) { return Find(context.Background(), "") })

// build builds a package of this module once, with these flags, and returns the program's path.
func build(t *testing.T, pkg string, flags ...string) string {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	key := pkg + strings.Join(flags, " ")
	if path, ok := shared.built[key]; ok {
		return path
	}
	path := filepath.Join(shared.folder, fmt.Sprintf("%d", len(shared.built)), filepath.Base(pkg))
	require.NoError(t, debugging.Build(path, pkg, flags...))
	shared.built[key] = path
	return path
}

// The victim in the ways that programs are built.
func victim(t *testing.T) string { return build(t, "./testdata/victim") }
func unoptimisedVictim(t *testing.T) string {
	return build(t, "./testdata/victim", "-gcflags=all=-N -l")
}
func strippedVictim(t *testing.T) string { return build(t, "./testdata/victim", "-ldflags=-s -w") }
func program(t *testing.T) string        { return build(t, "../cmd/glassheap") }

// unpacked is the script, as users get it.
func unpacked(t *testing.T) string {
	t.Helper()
	script, err := Unpack(shared.folder)
	require.NoError(t, err)
	return script
}

// steady makes victims do the same in each run.
var steady = debugging.SteadyGDB

// play runs commands in gdb, which is started with these arguments, and returns the transcript.
func play(t *testing.T, commands string, arguments ...string) string {
	t.Helper()
	return playIn(t, t.Context(), nil, commands, arguments...)
}

func playIn(t *testing.T, ctx context.Context, environment []string, commands string, arguments ...string) string {
	t.Helper()
	g := debugging.GDB{Path: needGDB(t), Scripts: unpacked(t), Program: program(t), Variable: ProgramVariable, Environment: environment}
	return g.Play(t, ctx, commands, arguments...)
}

// answers are what each of a command's runs has printed, in order.
func answers(transcript, command string) []string { return debugging.Answers(transcript, command) }

// answer is what a command has printed, which was run once.
func answer(t *testing.T, transcript, command string) string {
	t.Helper()
	found := answers(transcript, command)
	require.Len(t, found, 1, "runs of %q in:\n%s", command, transcript)
	return found[0]
}

// startVictim starts a victim that waits, and returns it when it is ready.
func startVictim(t *testing.T, path string, arguments ...string) *exec.Cmd {
	t.Helper()
	c := exec.Command(path, arguments...)
	c.Env = append(os.Environ(), steady...)
	in, err := c.StdinPipe()
	require.NoError(t, err)
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	t.Cleanup(func() {
		in.Close()
		done := make(chan error, 1)
		go func() { done <- c.Wait() }()
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			_ = c.Process.Kill()
			<-done
		}
	})
	line := make([]byte, len("ready\n"))
	_, err = out.Read(line)
	require.NoError(t, err)
	require.Equal(t, "ready\n", string(line))
	return c
}

func pid(c *exec.Cmd) string { return strconv.Itoa(c.Process.Pid) }

// golden holds a text against a file of testdata.
func golden(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), text)
}

// normal makes a transcript one that is the same in every run: what differs from run to run, from machine to machine or from
// one compiler to the next becomes a sample of itself.
func normal(transcript string) string {
	type place struct{ base, end uint64 }
	var heaps []place
	transcript = debugging.HeapLine.ReplaceAllStringFunc(transcript, func(line string) string {
		var p place
		_, _ = fmt.Sscanf(line, "(heap) %v %v", &p.base, &p.end)
		heaps = append(heaps, p)
		return ""
	})
	transcript = regexp.MustCompile(`0x[0-9a-f]{8,16}`).ReplaceAllStringFunc(transcript, func(text string) string {
		v, _ := strconv.ParseUint(text, 0, 64)
		for i, p := range heaps {
			if v >= p.base && v < p.end { // the addresses of a heap keep their distances from its start
				return fmt.Sprintf("0x%012x", 0x7f6800000000+uint64(i)<<32+v-p.base)
			}
		}
		if strings.HasPrefix(text, "0x0000") {
			return "0x00000000004d0a2e"
		}
		return "0xc0000a2e0008"
	})
	for _, rule := range []struct{ pattern, with string }{
		{`(process|LWP) \d+`, "$1 4711"},
		{`in [\d.]+ (µs|ms|s)\b`, "in 1 ms"},
		{`at 0x[0-9a-f]{6}:`, "at 0x4d0a2e:"},
		{`(Old|New) value = .*`, "$1 value = …"},
		{`(?m)^.*Thread \d+ "(\w+)"`, `Thread 1 "$1"`},
		{`(?m)^\[(New|Switching to) .*\n`, ""},
		{`(/[^ :]*)/(allocator|gdb)/`, "…/$2/"},
		{`(?:[0-9a-f]{2} ){7}[0-9a-f]{2}  seal`, "00 5a c3 91 0e 77 b4 2d  seal"},
		{`=1\d{14}\b`, "=140149000000000"},
		{`(hooks|free|policy|magazine|slab|diagnose)\.go(:|, line )\d+`, "$1.go${2}16"},
		{`(?m)^\d+(\tfunc On)`, "16$1"},
	} {
		transcript = regexp.MustCompile(rule.pattern).ReplaceAllString(transcript, rule.with)
	}
	return transcript
}
