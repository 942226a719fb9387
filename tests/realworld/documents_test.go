package realworld

import (
	"flag"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/internal/debugging"
)

var update = flag.Bool("update", false, "rewrite the transcripts of docs/cache.md, leak.md and postmortem.md")

// session is a shell in which a program serves.
type session struct {
	*debugging.Shell
	t       *testing.T
	server  *server
	program string // as it was typed
}

// startSession starts a program: "GLASSHEAP=mode=audit cache -memory 4MiB".
func startSession(t *testing.T, program, line string) *session {
	t.Helper()
	var environment []string
	words := strings.Fields(line)
	for strings.Contains(words[0], "=") {
		environment, words = append(environment, words[0]), words[1:]
	}
	s := &session{t: t, program: words[0], server: serve(t, program, environment, words[1:]...)}
	s.Shell = debugging.StartShell(t, line, s.server.Process, s.server.said)
	return s
}

// load runs the program's load. It may fail: the server may die of it.
func (s *session) load(program, flags string) {
	words := append([]string{"load", "-address", s.server.address}, strings.Fields(flags)...)
	out, _ := exec.CommandContext(s.t.Context(), program, words...).CombinedOutput()
	s.Typed(strings.TrimSpace(s.program+" load "+flags), string(out))
}

// dead waits until the server has died, and adds the last line that it says: the recorder's.
func (s *session) dead() {
	said, err := s.server.End()
	require.Error(s.t, err)
	lines := strings.Split(strings.TrimSpace(said), "\n")
	s.Typed("", lines[len(lines)-1]+"\n")
}

// postMortem asks about what the server died of.
func (s *session) postMortem() {
	found, err := inspect.PostMortems(s.server.directory)
	require.NoError(s.t, err)
	require.Len(s.t, found, 1)
	path := strings.TrimSuffix(found[0].Path, ".json") + ".txt"
	text := debugging.Ask(s.t, "postmortem", path)
	for _, rule := range stackRules {
		text = rule.pattern.ReplaceAllString(text, rule.with)
	}
	s.Typed("glassheap postmortem "+path, text)
}

// scene is the transcript, in which answers have at most so many lines.
func (s *session) scene(most int) string {
	text := s.Text()
	for _, rule := range rules {
		text = rule.pattern.ReplaceAllString(text, rule.with)
	}
	text = strings.ReplaceAll(text, filepath.Dir(s.server.directory)+"/postmortems", "/tmp/glassheap-1000")
	text = strings.ReplaceAll(text, "$ \n", "")
	return debugging.Readable(text, most)
}

// rules make a sample of what is another one in each run, or with each version of Go.
var rules = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile(`(serves at 127\.0\.0\.1):\d+`), "$1:11211"},
	{regexp.MustCompile(`(questions at http://127\.0\.0\.1):\d+`), "$1:6060"},
	{regexp.MustCompile(` in [\d.]+m?s: `), " in 0.3s: "},
	{regexp.MustCompile(`glassheap-\d+-\d{8}T\d{6}Z`), "glassheap-4711-20260131T120000Z"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\d at \d\d:\d\d:\d\d UTC`), "2026-01-31 at 12:00:00 UTC"},
	{regexp.MustCompile(`kill -9 \d+`), "kill -9 4711"},
	{regexp.MustCompile(`goroutine \d+`), "goroutine 21"},
}

// stackRules do so with the stack of a goroutine that crashed.
var stackRules = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile(`(goroutine \d+) gp=\S+ m=\d+ mp=\S+`), "$1"},
	{regexp.MustCompile(`(?m)^(panic|[\w./]+\.(?:\(\*?\w+\)\.)?[\w.]+)\((?:0x|\{|\.\.\.).*\)$`), "$1(…)"},
	{regexp.MustCompile(` \+0x[0-9a-f]+( fp=.*)?`), ""},
	{regexp.MustCompile(`(?m)^\t\S*/go/(src/\S+\.(?:go|s)):\d+`), "\t$1"},
	{regexp.MustCompile(`(?m)^\t\S*/(allocator/\w+\.go):\d+`), "\t$1"},
	{regexp.MustCompile(`(?m)^(\t)\S*/(tests/realworld/)`), "$1$2"},
}

// inFull is for answers that are shown to their end.
const inFull = 1000

func TestDocsCache(t *testing.T) {
	t.Parallel()
	debugging.Document(t, "../../docs/cache.md", *update, []debugging.Scene{
		{Name: "cache", Finds: `(?s)every value was the one that had been set.*healthy.*limit +4\.0 MiB`, Play: func(t *testing.T) string {
			s := startSession(t, cacheProgram(t), "cache -memory 4MiB -shards 1")
			s.load(cacheProgram(t), "-clients 1 -operations 10000 -slow")
			s.Ask("check PID")
			s.Ask("stats PID")
			return s.scene(inFull)
		}},
		{Name: "terminator", Finds: `(?s)overflow by 1 byte.*a string copied with its terminator`, Play: func(t *testing.T) string {
			s := startSession(t, withBug(t, "terminator"), "cache -shards 1")
			s.load(cacheProgram(t), "-clients 1 -operations 4")
			s.Ask("check PID")
			return s.scene(inFull)
		}},
	})
}

func TestDocsLeak(t *testing.T) {
	t.Parallel()
	debugging.Document(t, "../../docs/leak.md", *update, []debugging.Scene{
		{Name: "leak", Finds: `(?s)unreachable.*client0.*audit.*main\.newEntry .*main\.\(\*connection\)\.set `, Play: func(t *testing.T) string {
			s := startSession(t, withBug(t, "forgotten"), "GLASSHEAP=armable=yes cache -shards 1")
			s.load(cacheProgram(t), "-clients 1 -operations 1000")
			s.Ask("leaks PID --unreachable")
			s.Ask("hexdump PID BLOCK")
			s.Ask("arm PID audit")
			s.load(cacheProgram(t), "-clients 1 -operations 1000 -seed 2")
			s.Ask("leaks PID --unreachable")
			return sampled(s.scene(inFull))
		}},
	})
}

// found are how many blocks nothing refers to, and how many bytes: what an old stack of the program still refers to differs by one
// or two from run to run.
var found = regexp.MustCompile(`[\d,]+ bytes in \d+ blocks of [\d,]+ to [\d,]+ bytes|\d+ blocks are unreachable, [\d,]+ bytes`)

// sampled puts a sample in the place of each.
func sampled(transcript string) string {
	samples := []string{
		"7,141 bytes in 11 blocks of 52 to 4,599 bytes", "11 blocks are unreachable, 7,141 bytes",
		"7,141 bytes in 11 blocks of 52 to 4,599 bytes", "2,820 bytes in 8 blocks of 182 to 490 bytes", "19 blocks are unreachable, 9,961 bytes",
	}
	return found.ReplaceAllStringFunc(transcript, func(text string) string {
		if len(samples) > 0 {
			text, samples = samples[0], samples[1:]
		}
		return text
	})
}

func TestDocsPostMortem(t *testing.T) {
	t.Parallel()
	debugging.Document(t, "../../docs/postmortem.md", *update, []debugging.Scene{
		{Name: "killed", Finds: `(?s)died of SIGKILL.*healthy`, Play: func(t *testing.T) string {
			s := startSession(t, cacheProgram(t), "cache -shards 1")
			s.load(cacheProgram(t), "-clients 1 -operations 3000")
			require.NoError(t, s.server.Process.Process.Kill())
			s.Typed("kill -9 "+s.server.PID(), "")
			s.dead()
			s.postMortem()
			return s.scene(inFull)
		}},
		{Name: "early", Finds: `(?s)a fault at address.*freed by.*main\.\(\*shard\)\.retire.*main\.\(\*shard\)\.done`, Play: func(t *testing.T) string {
			s := startSession(t, withBug(t, "early"), "GLASSHEAP=mode=audit cache -shards 1")
			s.load(cacheProgram(t), "-clients 1 -operations 0 -slow")
			s.dead()
			s.postMortem()
			return s.scene(inFull)
		}},
		{Name: "twice", Finds: `(?s)double-free.*freed by.*main\.\(\*connection\)\.receive`, Play: func(t *testing.T) string {
			s := startSession(t, withBug(t, "twice"), "GLASSHEAP=mode=audit cache")
			conn, err := net.Dial("tcp", s.server.address)
			require.NoError(t, err)
			_, err = io.WriteString(conn, "set a 0 0 100\r\nhalf")
			require.NoError(t, err)
			conn.Close()
			s.Typed(`printf 'set a 0 0 100\r\nhalf' | nc -N 127.0.0.1 11211`, "")
			s.dead()
			s.postMortem()
			return s.scene(inFull)
		}},
	})
}

// TestDocsQuote: the code in the documents is that of the programs, or of their bugs.
func TestDocsQuote(t *testing.T) {
	t.Parallel()
	var texts []string
	for _, folder := range []string{"cache", "serving"} {
		sources, err := filepath.Glob(folder + "/*.go")
		require.NoError(t, err)
		for _, source := range sources {
			text, err := os.ReadFile(source)
			require.NoError(t, err)
			texts = append(texts, string(text))
		}
	}
	for _, b := range Bugs {
		texts = append(texts, b.Mistake.Wrong)
	}
	for document, blocks := range map[string]int{"cache": 4, "leak": 1, "postmortem": 2} {
		require.Equal(t, blocks, debugging.Quotes(t, "../../docs/"+document+".md", texts...), document)
	}
}
