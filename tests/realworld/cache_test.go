package realworld

import (
	"fmt"
	"io"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/internal/debugging"
)

// small is a memory that the load fills many times.
const small = "4MiB"

func cacheProgram(t *testing.T) string { return debugging.Program(t, packages+"cache", quickly) }

// loadCache runs the load on a cache.
func loadCache(t *testing.T, s *server, flags ...string) error {
	c := exec.CommandContext(t.Context(), cacheProgram(t), append([]string{"load", "-address", s.address}, flags...)...)
	out, err := c.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// TestTheCacheUnderLoad: every client reads what it has set, the slow one too, and whoever looks meanwhile finds nothing. Asked to
// end, the server frees all.
func TestTheCacheUnderLoad(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"sealed", "audit"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			s := serve(t, cacheProgram(t), []string{"GOMAXPROCS=2", "GLASSHEAP=mode=" + mode}, "-memory", small)
			lookAt(t, s.PID(), func(run int) error {
				return loadCache(t, s, "-operations", "5000", "-slow", "-seed", strconv.Itoa(run))
			})
			require.Contains(t, clean(t, "stats", s.PID()), "4.0 MiB   for what is in use")
			said, err := s.interrupt()
			require.NoError(t, err, said)
			require.Empty(t, said)
			require.NoDirExists(t, s.directory)
		})
	}
}

// TestTheCacheIsKilled while it is loaded: nothing is wrong in what it leaves.
func TestTheCacheIsKilled(t *testing.T) {
	t.Parallel()
	s := serve(t, cacheProgram(t), []string{"GOMAXPROCS=2"}, "-memory", small)
	c := dial(t, s)
	for i := range 2000 { // until it evicts
		c.say(fmt.Sprintf("set key%d 0 0 4000\r\n%4000d\r\n", i, i), "STORED\r\n")
	}
	loaded := make(chan error, 1)
	go func() { loaded <- loadCache(t, s, "-operations", "1000000") }()
	for !strings.Contains(c.stats(), "STAT bad_chunks 1") { // it is in the midst of it
	}
	require.NoError(t, s.Process.Process.Kill())
	said, _ := s.End()
	require.Error(t, <-loaded)
	require.Contains(t, said, "died of SIGKILL")
	p, text := s.postMortem()
	require.Zero(t, p.Findings, text)
	require.Contains(t, text, "healthy")
}

// TestTheBugsOfTheCache: each is told by whoever meets it, with the line that it was planted on.
func TestTheBugsOfTheCache(t *testing.T) {
	t.Parallel()
	hangUp := func(t *testing.T, s *server) {
		conn, err := net.Dial("tcp", s.address)
		require.NoError(t, err)
		_, err = io.WriteString(conn, "set half 0 0 100\r\nonly a part")
		require.NoError(t, err)
		require.NoError(t, conn.(*net.TCPConn).CloseWrite())
		_, _ = io.Copy(io.Discard, conn)
		conn.Close()
	}
	load := func(t *testing.T, s *server) {
		require.Error(t, loadCache(t, s, "-operations", "2000", "-slow"), "the server died")
	}
	for _, b := range []struct {
		bug         string
		environment string
		do          func(t *testing.T, s *server)
		cause       inspect.CauseKind
		says        []string
	}{
		{"terminator", "mode=sealed", load, inspect.CausePanic, []string{"overflow by 1 byte", "a string copied with its terminator"}},
		{"terminator", "mode=audit", load, inspect.CausePanic, []string{"overflow by 1 byte", "allocated by", "main.newEntry", "PLANTED"}},
		{"terminator", "guard=1/1", load, inspect.CauseFault, []string{"main.entry.setKey", "newEntry"}},
		{"early", "mode=audit", load, inspect.CauseFault, []string{"main.(*shard).done", "freed by", "main.(*shard).retire", "PLANTED", "main.(*shard).put"}},
		{"early", "mode=sealed", load, inspect.CausePanic, []string{"during free of", "main.(*shard).done"}}, // somebody else has the block by then, or nobody
		{"twice", "mode=sealed", hangUp, inspect.CausePanic, []string{"double-free", "main.(*connection).set"}},
		{"twice", "mode=audit", hangUp, inspect.CausePanic, []string{"double-free", "freed by", "main.(*connection).receive", "PLANTED"}},
	} {
		t.Run(b.bug+" "+b.environment, func(t *testing.T) {
			t.Parallel()
			s := serve(t, withBug(t, b.bug), []string{"GLASSHEAP=" + b.environment})
			b.do(t, s)
			s.diesOf(b.bug, b.cause, b.says)
		})
	}
}

// TestTheForgottenBlocks: nothing refers to them, and the line that allocated them is told.
func TestTheForgottenBlocks(t *testing.T) {
	t.Parallel()
	s := serve(t, withBug(t, "forgotten"), []string{"GLASSHEAP=mode=audit"}, "-memory", small)
	require.NoError(t, loadCache(t, s, "-operations", "3000"))
	require.Contains(t, clean(t, "check", s.PID()), "healthy")
	text := debugging.Ask(t, "leaks", s.PID(), "--unreachable")
	require.Regexp(t, `main\.newEntry +entry\.go:\d+\n.*main\.\(\*cache\)\.make .*\n.*main\.\(\*connection\)\.set `, text)
	said, err := s.interrupt()
	require.Error(t, err)
	require.Regexp(t, `live blocks?`, said)
}

// stats is a cache's answer.
func (c connection) stats() (text string) {
	c.t.Helper()
	_, err := io.WriteString(c, "stats\r\n")
	require.NoError(c.t, err)
	for b := make([]byte, 1000); !strings.HasSuffix(text, "END\r\n"); {
		n, err := c.Read(b)
		require.NoError(c.t, err)
		text += string(b[:n])
	}
	return text
}

// TestTheProtocolOfTheCache, as far as the load does not speak it.
func TestTheProtocolOfTheCache(t *testing.T) {
	t.Parallel()
	s := serve(t, cacheProgram(t), nil, "-memory", small, "-largest", "100KiB")
	c := dial(t, s)
	for _, exchange := range []struct{ text, answer string }{
		{"get nothing\r\n", "END\r\n"},
		{"set a 7 0 5\r\nhello\r\n", "STORED\r\n"},
		{"set b 0 0 0\r\n\r\n", "STORED\r\n"},
		{"get a x b\r\n", "VALUE a 7 5\r\nhello\r\nVALUE b 0 0\r\n\r\nEND\r\n"},
		{"set a 8 0 2\r\nho\r\n", "STORED\r\n"},
		{"get a\r\n", "VALUE a 8 2\r\nho\r\nEND\r\n"},
		{"set a 0 0 2\r\nlonger\r\n", "CLIENT_ERROR bad data chunk\r\n"},
		{"get a\r\n", "VALUE a 8 2\r\nho\r\nEND\r\n"},
		{"set a 0 0 200000\r\n" + strings.Repeat("x", 200000) + "\r\n", "SERVER_ERROR object too large for cache\r\n"},
		{"set " + strings.Repeat("k", 251) + " 0 0 1\r\nx\r\n", "SERVER_ERROR object too large for cache\r\n"},
		{"delete a\r\n", "DELETED\r\n"},
		{"delete a\r\n", "NOT_FOUND\r\n"},
		{"delete\r\n", "CLIENT_ERROR bad command line format\r\n"},
		{"version\r\n", "VERSION glassheap\r\n"},
		{"\r\n", "ERROR\r\n"},
		{"incr a 1\r\n", "ERROR\r\n"},
		{"set a 0 60 1\r\n", "CLIENT_ERROR entries do not expire here: say 0\r\n"},
	} {
		c.say(exchange.text, exchange.answer)
	}
	_, err := c.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF, "what follows can't be told from commands")
	_, err = s.interrupt()
	require.NoError(t, err)
}
