package realworld

import (
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/internal/debugging"
)

func storeProgram(t *testing.T) string { return debugging.Program(t, packages+"store", quickly) }

// serveStore starts a store with a memtable that the load fills many times.
func serveStore(t *testing.T, program string, environment []string, flags ...string) *server {
	t.Helper()
	return serve(t, program, environment, append([]string{"-directory", filepath.Join(t.TempDir(), "data"), "-memtable", "128KiB", "-memory", "16MiB"}, flags...)...)
}

// loadStore runs the load on a store, and returns what it says.
func loadStore(t *testing.T, s *server, flags ...string) (string, error) {
	c := exec.CommandContext(t.Context(), storeProgram(t), append([]string{"load", "-address", s.address}, flags...)...)
	out, err := c.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, out)
	}
	return string(out), err
}

// TestTheStoreUnderLoad: every client reads what it has written, the slow one what there was when it asked, and whoever looks
// meanwhile finds nothing. Asked to end, the server frees all.
func TestTheStoreUnderLoad(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"sealed", "audit"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			s := serveStore(t, storeProgram(t), []string{"GOMAXPROCS=2", "GLASSHEAP=mode=" + mode})
			lookAt(t, s.PID(), func(run int) error {
				_, err := loadStore(t, s, "-operations", "2000", "-slow", "-seed", fmt.Sprint(run))
				return err
			})
			require.NotContains(t, dial(t, s).info(), "compactions:0\r\n")
			said, err := s.interrupt()
			require.NoError(t, err, said)
			require.Empty(t, said)
			require.NoDirExists(t, s.directory)
		})
	}
}

// TestTheStoreIsKilled while it is loaded, again and again: nothing is wrong in what it leaves, and what it has acknowledged is there
// when it is started again.
func TestTheStoreIsKilled(t *testing.T) {
	t.Parallel()
	directory, model := t.TempDir(), filepath.Join(t.TempDir(), "model")
	for run := range 30 {
		if !debugging.Share(run, 10) {
			continue
		}
		s := serveStore(t, storeProgram(t), []string{"GOMAXPROCS=2"}, "-directory", directory)
		if run > 0 {
			said, err := loadStore(t, s, "-model", model, "-operations", "0")
			require.NoError(t, err)
			require.Contains(t, said, "the server has what it has acknowledged")
		}
		c := dial(t, s)
		before := c.flushes()
		loaded := make(chan error, 1)
		go func() {
			_, err := loadStore(t, s, "-model", model, "-operations", "1000000", "-seed", fmt.Sprint(run))
			loaded <- err
		}()
		for c.flushes() <= before+run%7 { // some of them are merged then
		}
		require.NoError(t, s.Process.Process.Kill())
		said, _ := s.End()
		require.ErrorContains(t, <-loaded, "the server has hung up")
		require.Contains(t, said, "died of SIGKILL")
		p, text := s.postMortem()
		require.Zero(t, p.Findings, text)
		require.Contains(t, text, "healthy")
	}
}

// TestTheBugsOfTheStore: each is told by whoever meets it, with the line that it was planted on.
func TestTheBugsOfTheStore(t *testing.T) {
	t.Parallel()
	save := func(t *testing.T, s *server) {
		c := dial(t, s)
		for key := 'a'; key <= 'o'; key++ { // so many keys set a bit in the filter's last byte that the slack does not have
			c.say(fmt.Sprintf("SET %c 1\r\n", key), "+OK\r\n")
		}
		_, _ = io.WriteString(c, "SAVE\r\n")
		_, _ = io.Copy(io.Discard, c)
	}
	slow := func(t *testing.T, s *server) {
		_, err := loadStore(t, s, "-operations", "0", "-slow")
		require.Error(t, err, "the server died")
	}
	merge := func(t *testing.T, s *server) {
		c := dial(t, s)
		for range 4 {
			_, _ = io.WriteString(c, "SET a 1\r\nSAVE\r\n")
		}
		_, _ = io.Copy(io.Discard, c)
	}
	read := func(t *testing.T, s *server) {
		c := dial(t, s)
		_, _ = io.WriteString(c, "SET a 1\r\nSAVE\r\nGET a\r\n")
		_, _ = io.Copy(io.Discard, c)
	}
	for _, b := range []struct {
		bug         string
		environment string
		do          func(t *testing.T, s *server)
		cause       inspect.CauseKind
		says        []string
	}{
		{"rounded", "mode=sealed", save, inspect.CausePanic, []string{"overflow by 1 byte", "during free of", "main.(*segmentWriter).finish"}},
		{"rounded", "mode=audit", save, inspect.CausePanic, []string{"overflow by 1 byte", "allocated by", "main.filterFor", "PLANTED"}},
		{"stale", "mode=audit", slow, inspect.CauseFault, []string{"main.(*connection).span", "PLANTED"}},
		{"stale", "guard=1/1", slow, inspect.CauseFault, []string{"main.(*connection).span", "PLANTED", "freed by", "main.(*memtable).release", "main.(*store).flush"}},
		{"again", "mode=sealed", merge, inspect.CausePanic, []string{"double-free", "main.(*segmentCursor).close"}},
		{"again", "mode=audit", merge, inspect.CausePanic, []string{"double-free", "freed by", "main.(*segmentCursor).next", "PLANTED"}},
		{"inside", "mode=sealed", read, inspect.CausePanic, []string{"invalid-free", "main.found.free"}},
		{"inside", "mode=audit", read, inspect.CausePanic, []string{"invalid-free", "allocated by", "main.(*segment).read", "PLANTED"}},
	} {
		t.Run(b.bug+" "+b.environment, func(t *testing.T) {
			t.Parallel()
			flags := []string{}
			if b.bug == "stale" { // all that the slow client reads is in one memtable, and each entry is watched over
				flags = []string{"-memtable", "1MiB", "-apart"}
			}
			s := serveStore(t, withBug(t, b.bug), []string{"GLASSHEAP=" + b.environment}, flags...)
			b.do(t, s)
			s.diesOf(b.bug, b.cause, b.says)
		})
	}
}

// TestTheMovedIndex: whoever asks while the store is still there is told that its last places were written to where they had been.
func TestTheMovedIndex(t *testing.T) {
	t.Parallel()
	s := serveStore(t, withBug(t, "moved"), []string{"GLASSHEAP=mode=audit"})
	_, err := loadStore(t, s, "-operations", "2000")
	require.ErrorContains(t, err, "the index is damaged")
	text := debugging.Ask(t, "check", s.PID())
	require.Contains(t, text, "write-after-free")
	require.Regexp(t, `freed by (.*\n)*.*main\.\(\*segmentWriter\)\.begin +`+plantedAt(t, "moved"), text)
}

// TestTheFiltersThatAreKept: nothing refers to them, and the line that allocated them is told.
func TestTheFiltersThatAreKept(t *testing.T) {
	t.Parallel()
	s := serveStore(t, withBug(t, "kept"), []string{"GLASSHEAP=mode=audit", "GOGC=5"}) // what the collector has not seen yet may refer to them
	c := dial(t, s)
	for range 60 {
		c.say("SET a 1\r\nSAVE\r\n", "+OK\r\n+OK\r\n")
	}
	require.Contains(t, clean(t, "check", s.PID()), "healthy")
	text := debugging.Ask(t, "leaks", s.PID(), "--unreachable")
	require.Regexp(t, `main\.\(\*segment\)\.read +segment\.go:\d+\n.*main\.\(\*segment\)\.load `, text)
	said, err := s.interrupt()
	require.Error(t, err)
	require.Regexp(t, `live blocks?`, said)
}

// TestTheProtocolOfTheStore, as far as the load does not speak it.
func TestTheProtocolOfTheStore(t *testing.T) {
	t.Parallel()
	s := serveStore(t, storeProgram(t), nil, "-largest", "100KiB")
	c := dial(t, s)
	for _, exchange := range []struct{ text, answer string }{
		{"PING\r\n", "+PONG\r\n"},
		{"\r\nget nothing\r\n", "$-1\r\n"},
		{"SET a 1\r\n", "+OK\r\n"},
		{"*3\r\n$3\r\nset\r\n$1\r\nb\r\n$4\r\n\r\n\x00\xff\r\n", "+OK\r\n"},
		{"*3\r\n$3\r\nset\r\n$0\r\n\r\n$0\r\n\r\n", "+OK\r\n"},
		{"GET b\r\n", "$4\r\n\r\n\x00\xff\r\n"},
		{"SET c 3\r\nDEL a nothing a\r\nSET a 2\r\n", "+OK\r\n:1\r\n+OK\r\n"},
		{"*3\r\n$5\r\nRANGE\r\n$0\r\n\r\n$0\r\n\r\n", "*8\r\n$0\r\n\r\n$0\r\n\r\n$1\r\na\r\n$1\r\n2\r\n$1\r\nb\r\n$4\r\n\r\n\x00\xff\r\n$1\r\nc\r\n$1\r\n3\r\n"},
		{"RANGE a b\r\n", "*2\r\n$1\r\na\r\n$1\r\n2\r\n"},
		{"RANGE b a\r\n", "*0\r\n"},
		{"SAVE\r\nSAVE\r\nDEL a\r\nRANGE a b\r\nGET a\r\nGET c\r\n", "+OK\r\n+OK\r\n:1\r\n*0\r\n$-1\r\n$1\r\n3\r\n"},
		{"*1\r\n$7\r\nCOMMAND\r\n", "*0\r\n"},
		{"GET\r\n", "-ERR wrong number of arguments for 'get' command\r\n"},
		{"GET " + strings.Repeat("k", 70000) + "\r\n", "-ERR Protocol error: too big inline request\r\n"},
	} {
		c.say(exchange.text, exchange.answer)
	}
	for text, answer := range map[string]string{
		"*1\r\nGET\r\n":            "-ERR Protocol error: expected '$'\r\n",
		"*1\r\n$200000\r\n":        "-ERR Protocol error: invalid bulk length\r\n",
		"*x\r\n":                   "-ERR Protocol error: invalid multibulk length\r\n",
		"*1\r\n$4\r\nPINGPONG\r\n": "-ERR Protocol error: a string does not end where its length says\r\n",
		"*2\r\n$3\r\nGET\r\n$70000\r\n" + strings.Repeat("k", 70000) + "\r\nQUIT\r\n": "-ERR the key is too long\r\n+OK\r\n",
	} {
		c := dial(t, s)
		c.say(text, answer)
		_, err := c.Read(make([]byte, 1))
		require.ErrorIs(t, err, io.EOF, "what follows can't be told from commands")
	}
	said, err := s.interrupt()
	require.NoError(t, err, said)
}

// TestOneStoreHasTheDirectory.
func TestOneStoreHasTheDirectory(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	serveStore(t, storeProgram(t), nil, "-directory", directory)
	out, err := exec.CommandContext(t.Context(), storeProgram(t), "-listen", "127.0.0.1:0", "-debug", "", "-postmortems", t.TempDir(), "-directory", directory).CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "another process has the store")
}

// flushes are how often a memtable of the store was flushed.
func (c connection) flushes() (n int) {
	c.t.Helper()
	_, after, _ := strings.Cut(c.info(), "flushes:")
	_, err := fmt.Sscanf(after, "%d", &n)
	require.NoError(c.t, err)
	return n
}

// info is a store's answer.
func (c connection) info() string {
	c.t.Helper()
	_, err := io.WriteString(c, "INFO\r\n")
	require.NoError(c.t, err)
	var n int
	_, err = fmt.Fscanf(c, "$%d\r\n", &n)
	require.NoError(c.t, err)
	text := make([]byte, n+len("\r\n"))
	_, err = io.ReadFull(c, text)
	require.NoError(c.t, err)
	return string(text)
}
