package recorder_test

import (
	"io"
	"math/rand"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/target"
)

// TestDeaths has a program die in every way, with a healthy heap.
func TestDeaths(t *testing.T) {
	for _, d := range []struct {
		modes   string
		kind    inspect.CauseKind
		summary string
		text    []string
	}{
		{"panic", inspect.CausePanic, "panic: boom", []string{"died of  panic: boom", "goroutine 1 [running]", "main.main()"}},
		{"nil", inspect.CauseFault, "panic: runtime error: invalid memory address or nil pointer dereference", []string{"0x0 is a nil pointer"}},
		{"guard", inspect.CauseFault, "a fault at address 0x7", []string{"behind the pages of a live span of 40960 bytes", "on its guard page"}},
		{"fatal", inspect.CauseFatal, "a fatal error of the runtime in internal/sync.fatal, called by main.main (", nil},
		{"map", inspect.CauseFatal, "a fatal error of the runtime in internal/runtime/maps.fatal, called by main.main.func", nil},
		{"violation", inspect.CausePanic, "panic: glassheap: overflow during free of 0x", []string{"withdrawn block", "the heap had found the damage itself"}},
		{"anonymous,panic", inspect.CausePanic, "panic: boom", []string{`heap "anonymous" could not be checked: it was in anonymous memory`}},
		{"many,panic", inspect.CausePanic, "panic: boom", []string{`heap "heap 199"`}},
		{"stop,again", inspect.CausePanic, "panic: boom", nil},
	} {
		t.Run(d.modes, func(t *testing.T) {
			v := start(t, d.modes)
			said := v.end(t)
			p, text := v.postMortem(t)
			require.Equal(t, d.kind, p.Cause.Kind)
			require.True(t, strings.HasPrefix(p.Cause.Summary, d.summary), p.Cause.Summary)
			require.Equal(t, 2, *p.Cause.Status)
			require.Zero(t, p.Findings, text)
			require.Contains(t, p.Crash, "goroutine ")
			require.NotEmpty(t, p.Stack)
			require.Contains(t, text, `heap "sessions" in process`)
			require.Contains(t, text, "which has ended")
			for _, want := range d.text {
				require.Contains(t, text, want)
			}
			last := said[strings.LastIndexByte(strings.TrimSuffix(said, "\n"), '\n')+1:]
			require.Contains(t, last, "glassheap: process ")
			require.Contains(t, last, ".txt\n")
			path := strings.TrimSpace(last[strings.LastIndex(last, " see ")+5:])
			require.FileExists(t, path)
		})
	}
}

func TestDamageIsReported(t *testing.T) {
	for _, modes := range []string{"overflow,panic", "overflow,exit", "span,fatal"} {
		t.Run(modes, func(t *testing.T) {
			v := start(t, modes)
			said := v.end(t)
			require.Contains(t, said, "1 finding in its heaps")
			p, text := v.postMortem(t)
			require.Equal(t, 1, p.Findings)
			f := p.Heaps[0].Check.Findings[0]
			require.Equal(t, inspect.CodeOverflow, f.Code)
			require.Contains(t, text, "overflow by 1 byte, past a live ")
			require.Contains(t, text, "next  glassheap whatis "+v.directory+"/"+p.Heaps[0].Snapshot)
		})
	}
}

// TestStacksHaveNames: the second process is the same executable, and names the functions. The snapshot knows which one it was.
func TestStacksHaveNames(t *testing.T) {
	t.Setenv("GLASSHEAP", "mode=audit")
	v := start(t, "overflow,violation")
	v.end(t)
	p, text := v.postMortem(t)
	require.Regexp(t, `(?s)is the start of a withdrawn block.*allocated by .*\n +main\.main +\S*main\.go:\d+\n.*1  overflow by 1 byte.*allocated by .*\n +main\.main +\S*main\.go:\d+\n`, text)
	s, err := target.OpenPath(t.Context(), filepath.Join(v.directory, p.Heaps[0].Snapshot), target.Options{})
	require.NoError(t, err)
	defer s.Close()
	_, err = inspect.ProgramOf(s, program)
	require.NoError(t, err, "it is the one that ran")
	_, err = inspect.ProgramOf(s, "/proc/self/exe")
	require.Error(t, err, "it is another one")
}

// TestGoodEnds has a program end well: nothing is written, and nothing said.
func TestGoodEnds(t *testing.T) {
	for _, modes := range []string{"return", "stop", "exit", "overflow,return", "overflow,stop", "off,return"} {
		t.Run(modes, func(t *testing.T) {
			v := start(t, modes)
			rest, err := v.out.ReadString('\n')
			if strings.Contains(modes, "stop") {
				require.NoError(t, err)
				require.Equal(t, "stopped\n", rest)
			}
			require.Empty(t, v.end(t))
			v.nothing(t)
		})
	}
	for _, modes := range []string{"off,panic", "stop-late"} {
		t.Run(modes, func(t *testing.T) {
			v := start(t, modes)
			require.NotContains(t, v.end(t), "glassheap")
			v.nothing(t)
		})
	}
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
		if signal.Ignored(s) {
			continue // whoever started the test wants so (nohup), and the victim inherits it
		}
		t.Run(s.String(), func(t *testing.T) {
			v := start(t, "wait")
			require.NoError(t, v.Process.Signal(s))
			require.Empty(t, v.end(t))
			v.nothing(t)
		})
	}
}

func TestHeapsThatAreMadeLater(t *testing.T) {
	v := start(t, "late,closed,panic")
	v.end(t)
	p, _ := v.postMortem(t)
	require.Len(t, p.Heaps, 2, "the closed one is none of the program's any more")
	require.Equal(t, "sessions", p.Heaps[0].Name)
	require.Equal(t, "late", p.Heaps[1].Name)
	require.Empty(t, p.Heaps[0].Check.Findings)
	require.Len(t, p.Heaps[1].Check.Findings, 1)
	require.NotEqual(t, p.Heaps[0].Snapshot, p.Heaps[1].Snapshot)

	v = start(t, "only,late,panic")
	v.end(t)
	p, _ = v.postMortem(t)
	require.Len(t, p.Heaps, 1, "only those that were named")
}

// TestInterrupts sends the program's process group, and the recorder itself, what a terminal and a supervisor send.
func TestInterrupts(t *testing.T) {
	v := start(t, "handle,panic")
	second := v.recorderOf(t)
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT} {
		require.NoError(t, syscall.Kill(second, s))
	}
	require.NoError(t, syscall.Kill(-v.Process.Pid, syscall.SIGINT))
	require.Contains(t, v.end(t), "died of panic: boom")
	v.postMortem(t)

	v = start(t, "wait")
	require.NoError(t, syscall.Kill(-v.Process.Pid, syscall.SIGINT))
	v.end(t)
	v.nothing(t)
}

// TestWithoutARecorder kills the recorder: the program goes on, and learns of it in the end. No zombie stays.
func TestWithoutARecorder(t *testing.T) {
	v := start(t, "wait,stop")
	second := v.recorderOf(t)
	require.NoError(t, syscall.Kill(second, syscall.SIGKILL))
	awaitEnd(t, second)
	require.NoError(t, v.in.Close())
	line, err := v.out.ReadString('\n')
	require.NoError(t, err)
	require.Contains(t, line, "error: glassheap: the recorder was gone before it was stopped")
	line, err = v.out.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "stopped\n", line, "no child is left")
	v.end(t)
	v.nothing(t)

	// One that stands still neither keeps a crash from ending nor is kept by it.
	v = start(t, "wait,panic")
	second = v.recorderOf(t)
	require.NoError(t, syscall.Kill(second, syscall.SIGSTOP))
	require.NoError(t, v.in.Close())
	late := time.AfterFunc(patience, func() { _ = v.Process.Kill() })
	require.Error(t, v.Wait())
	require.True(t, late.Stop(), "the victim waits for its recorder")
	v.nothing(t)
	require.NoError(t, syscall.Kill(second, syscall.SIGCONT))
	require.Contains(t, v.heard(t), "died of panic: boom")
	v.postMortem(t)
}

// TestNobodyHasWaited has programs that are zombies until their recorder has ended: then it is /proc that tells.
func TestNobodyHasWaited(t *testing.T) {
	v := start(t, "wait")
	require.NoError(t, v.Process.Kill())
	require.Contains(t, v.heard(t), "died of SIGKILL")
	v.postMortem(t)
	v = start(t, "return")
	require.Empty(t, v.heard(t))
	v.nothing(t)
	v = start(t, "exit,overflow")
	require.Contains(t, v.heard(t), "died of exit status 3; 1 finding")
	v.postMortem(t)
}

// TestTheSecondProcess looks at what it holds and what it costs.
func TestTheSecondProcess(t *testing.T) {
	read, write, err := os.Pipe()
	require.NoError(t, err)
	defer read.Close()
	inherited = []*os.File{write, write, write, write, write, write, write, write}
	v := start(t, "many,wait")
	inherited = nil
	write.Close()
	second := v.recorderOf(t)
	heaps := func() (n int) {
		for _, path := range links(t, second) {
			if strings.HasPrefix(path, "/memfd:glassheap:") {
				n++
			}
			require.False(t, strings.HasPrefix(path, "pipe:") && path == pipeName(t, read), "it holds what the program had inherited")
		}
		return n
	}
	for late := time.Now().Add(patience); heaps() != 101; { // the messages are on their way
		require.True(t, time.Now().Before(late), "it holds %d heaps", heaps())
	}
	links := links(t, second)
	for _, fd := range []string{"0", "1", "2"} {
		require.Equal(t, os.DevNull, links[fd])
	}
	stat := statOf(t, second)
	require.Equal(t, strconv.Itoa(second), stat[3], "a session of its own")
	require.Equal(t, "10", stat[16], "nice")
	pages, err := strconv.Atoi(stat[21])
	require.NoError(t, err)
	t.Logf("%d KiB resident", pages*os.Getpagesize()>>10)
	if len(buildFlags) == 1 { // the race detector takes some
		require.Less(t, pages*os.Getpagesize(), 40<<20)
	}
	require.NoError(t, v.in.Close())
	require.Empty(t, v.end(t))
	v.nothing(t)
}

// links are the open files of a process.
func links(t *testing.T, pid int) map[string]string {
	t.Helper()
	directory := "/proc/" + strconv.Itoa(pid) + "/fd/"
	entries, err := os.ReadDir(directory)
	require.NoError(t, err)
	found := map[string]string{}
	for _, e := range entries {
		if path, err := os.Readlink(directory + e.Name()); err == nil {
			found[e.Name()] = path
		}
	}
	return found
}

func pipeName(t *testing.T, file *os.File) string {
	t.Helper()
	path, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(int(file.Fd())))
	require.NoError(t, err)
	return path
}

// statOf are the fields of /proc/PID/stat behind the name.
func statOf(t *testing.T, pid int) []string {
	t.Helper()
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	require.NoError(t, err)
	return strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
}

func TestAProgramThatBecomesAnother(t *testing.T) {
	if testing.Short() {
		t.Skip("takes as long as the recorder waits for a program to end: run it without -short")
	}
	v := start(t, "wait,exec,overflow") // with damage, which would be reported
	_, err := os.Stat("/bin/cat")
	require.NoError(t, err)
	second := v.recorderOf(t)
	in := v.in
	_, err = in.(interface{ Write([]byte) (int, error) }).Write([]byte("x"))
	require.NoError(t, err)
	awaitEnd(t, second)
	require.NoError(t, in.Close())
	v.end(t)
	v.nothing(t)
}

// awaitEnd waits until a process is gone, or a zombie.
func awaitEnd(t *testing.T, pid int) {
	t.Helper()
	for late := time.Now().Add(patience); !zombie(pid); {
		require.True(t, time.Now().Before(late), "process %d does not end", pid)
	}
}

func zombie(pid int) bool {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err != nil || strings.Contains(string(text), ") Z ")
}

func TestBoundsOfAPostMortem(t *testing.T) {
	v := start(t, "no-snapshot,panic")
	v.end(t)
	p, text := v.postMortem(t)
	require.Empty(t, p.Heaps[0].Snapshot)
	require.Contains(t, text, "no snapshot: Options.SnapshotBytes says so")

	v = start(t, "small-snapshot,panic")
	v.end(t)
	_, text = v.postMortem(t)
	require.Contains(t, text, "of the heap are in use, and a snapshot may hold")

	v = start(t, "keep-output,panic")
	require.Contains(t, v.end(t), "panic: boom")
	v.nothing(t) // an exit with status 2 and a healthy heap

	v = start(t, "long")
	said := make(chan string, 1)
	go func() { // a pipe that nobody reads would hold the program up
		text, _ := io.ReadAll(v.stderr)
		said <- string(text)
	}()
	require.NoError(t, v.stderr.SetReadDeadline(time.Now().Add(patience)))
	require.Contains(t, <-said, "died of panic: long")
	_ = v.Wait()
	p, _ = v.postMortem(t)
	require.Len(t, p.Crash, 4<<20)
	require.Equal(t, "panic: long", p.Cause.Summary)
	require.Equal(t, []string{"the crash text is longer than 4 MiB and was cut"}, p.Notes)

	v = start(t, "silent,wait,panic")
	second := v.recorderOf(t)
	require.NoError(t, v.in.Close())
	require.NotContains(t, v.end(t), "glassheap")
	awaitEnd(t, second) // it does not hold standard error
	v.postMortem(t)
}

func TestOldPostMortemsMakeRoom(t *testing.T) {
	directory := t.TempDir()
	other := directory + "/glassheap.txt"
	require.NoError(t, os.WriteFile(other, nil, 0o600))
	for range 3 {
		startIn(t, "keep-2,panic", directory).end(t)
	}
	found, err := inspect.PostMortems(directory)
	require.NoError(t, err)
	require.Len(t, found, 2)
	entries, err := os.ReadDir(directory)
	require.NoError(t, err)
	require.Len(t, entries, 7)
	require.FileExists(t, other)
}

// TestKill kills a busy program at random moments: each time there is a post-mortem that finds what was planted, and nothing
// else.
func TestKill(t *testing.T) {
	unsettled, planted := 0, 0
	for round := range killRounds {
		modes, want := "busy,wait", 0
		if round%3 == 0 {
			modes, want = "busy,wait,overflow", 1
			planted++
		}
		v := start(t, modes)
		<-time.After(time.Duration(rand.Int63n(int64(60 * time.Millisecond)))) // a random moment
		require.NoError(t, v.Process.Kill())
		v.end(t)
		p, text := v.postMortem(t)
		require.Equal(t, inspect.CauseSignal, p.Cause.Kind)
		require.Equal(t, "SIGKILL", p.Cause.Signal)
		require.Equal(t, want, p.Findings, text)
		if want > 0 {
			require.Equal(t, inspect.CodeOverflow, p.Heaps[0].Check.Findings[0].Code)
		}
		if len(p.Heaps[0].Check.Unsettled) > 0 {
			unsettled++
		}
	}
	t.Logf("%d kills, %d of them with damage that was planted, %d in the middle of an operation under a lock", killRounds, planted, unsettled)
}
