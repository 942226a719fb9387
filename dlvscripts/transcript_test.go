package dlvscripts

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite the transcripts in testdata and in docs")

// transcript is what a person would see: the commands that were typed, with their answers. Addresses, numbers of processes and
// times are made the same in every run.
type transcript struct {
	session *session
	text    strings.Builder
	heaps   int
	parts   []heapRange
}

// heapRange is a part of a heap, and where it is shown to lie. Each part is shown at a place of its own, so that a transcript
// does not change when the parts of a heap move.
type heapRange struct{ start, end, shown uint64 }

func record(s *session) *transcript { return &transcript{session: s} }

// type_ types commands and keeps them and their answers.
func (r *transcript) typed(commands ...string) *transcript {
	for _, command := range commands {
		answer := r.session.ask(command)
		r.learn()
		fmt.Fprintf(&r.text, "(dlv) %s\n%s", r.normal(command), r.normal(answer))
	}
	return r
}

// learn finds out which heaps there are, and where their parts lie.
func (r *transcript) learn() {
	for ; ; r.heaps++ {
		answer := r.session.ask(fmt.Sprintf("gh_structs --json --type Identity #%d", r.heaps+1))
		if !strings.HasPrefix(answer, "{") {
			return
		}
		var starts []uint64
		for _, field := range []string{"Base", "Bins", "Caches", "Arenas", "PageMap", "Descriptors", "Stacks", "Journals", "Records", "Data"} {
			found := regexp.MustCompile(`"field": "` + field + `",\s+"found": "(0x[0-9a-f]+)"`).FindStringSubmatch(answer)
			require.NotNil(r.session.t, found, answer)
			starts = append(starts, parse(found[1]))
		}
		starts = append(starts, starts[len(starts)-1]+1<<32)
		for i, place := range []uint64{0, 1, 2, 3, 4, 5, 7, 8, 9, 6} { // the data keep theirs, whatever parts come before them
			r.parts = append(r.parts, heapRange{starts[i], starts[i+1], 0x7f0000000000 + uint64(r.heaps)<<36 + place<<28})
		}
	}
}

var (
	addresses  = regexp.MustCompile(`0x[0-9a-f]{9,16}\b`)
	processes  = regexp.MustCompile(`\b(process|Process) \d+`)
	durations  = regexp.MustCompile(`\b[\d.]+ (µs|ms|s)$`)
	positions  = regexp.MustCompile(`\(PC: 0x[0-9a-f]+\)`)
	breaks     = regexp.MustCompile(`(set|cleared) at 0x[0-9a-f]+`)
	heapLines  = regexp.MustCompile(`\S*(allocator/\w+\.go):\d+`)
	goLines    = regexp.MustCompile(`\b(alloc|free|hooks|aligned|magazine)\.go:\d+`)
	listing    = regexp.MustCompile(`^(=>)?\s*\d+:\t`)
	excerpt    = regexp.MustCompile(`\|([0-9a-f]{2} ){7}[0-9a-f]{2}`)
	decimals   = regexp.MustCompile(`\*\(\*uint(\d+)\)\(\d+\)`)
	watchNames = regexp.MustCompile(`hits goroutine\(\d+\)`)
)

func (r *transcript) normal(text string) string {
	var lines []string
	all := strings.Split(text, "\n")
	for i, line := range all {
		if listing.MatchString(line) || strings.HasPrefix(line, "Warning: ") {
			continue
		}
		if i+1 < len(all) {
			line = hideSeal(line, all[i+1])
		}
		line = addresses.ReplaceAllStringFunc(line, r.address)
		line = processes.ReplaceAllString(line, "$1 4711")
		line = durations.ReplaceAllString(line, "12 ms")
		line = positions.ReplaceAllString(line, "(PC: 0x4d204a)")
		line = breaks.ReplaceAllString(line, "$1 at 0x4d204a")
		line = heapLines.ReplaceAllString(line, "$1")
		line = goLines.ReplaceAllString(line, "$1.go")
		line = excerpt.ReplaceAllString(line, "|·· ·· ·· ·· ·· ·· ·· ··")
		line = decimals.ReplaceAllString(line, "*(*uint$1)(…)")
		line = watchNames.ReplaceAllString(line, "hits goroutine(1)")
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func (r *transcript) address(text string) string {
	n := parse(text)
	for _, p := range r.parts {
		if p.start <= n && n < p.end {
			return fmt.Sprintf("0x%x", n-p.start+p.shown)
		}
	}
	return "0x" + strings.Repeat("5", len(text)-2) // a seal, or something outside
}

// hideSeal hides the bytes of seals in a line of a dump, which are others in each run: marks, the line below, says which.
func hideSeal(line, marks string) string {
	pairs, characters, ok := strings.Cut(line, "│")
	if !ok || strings.Trim(marks, " -=^") != "" {
		return line
	}
	shown, text := []byte(pairs), []rune(characters)
	first := strings.Index(pairs, " ")
	for i := range text {
		at := first + 3*i + i/8 + 1
		if at+1 < len(marks) && (marks[at] == '=' || marks[at] == '^') {
			shown[at], shown[at+1] = '.', '.'
			text[i] = '·'
		}
	}
	return string(shown) + "│" + string(text)
}

// golden holds a transcript against its file.
func (r *transcript) golden(name string) {
	path := filepath.Join("testdata", "transcripts", name+".txt")
	if *update {
		require.NoError(r.session.t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(r.session.t, os.WriteFile(path, []byte(r.text.String()), 0o644))
	}
	expected, err := os.ReadFile(path)
	require.NoError(r.session.t, err)
	require.Equal(r.session.t, string(expected), r.text.String(), "read the difference, then run the test with -update")
}

func TestTranscripts(t *testing.T) {
	for _, scene := range []struct {
		name     string
		scenes   []string
		commands []string
	}{
		{"questions", []string{"nothing", "shop"}, []string{
			"gh", "gh_check", "continue", "gh", "gh_check", "gh_structs", "gh_structs --type Arena --fields", "gh_bins", "gh_slabs 34", "gh_blocks 72", "gh_slab block",
			"gh_whatis block", "gh_whatis &h", "gh_hexdump block", "gh_map", "gh_map 34", "gh_check 34", "gh_check block",
		}},
		{"several", []string{"several", "notes"}, []string{"gh_check", "gh_check heap=users", "gh_bins #1", "gh_whatis block", "gh_blocks block", "gh_bins heap=nobody", "continue", "gh_math heap=notes"}},
		{"audit", []string{"audited"}, []string{
			"gh_check", "gh_bins", "gh_slabs 34", "gh_blocks 72", "gh_map 34", "gh_structs --type Journal --fields", "gh_structs --type StackTable --fields", "gh_structs --type Stack",
			"gh_whatis block", "gh_log", "gh_log block", "gh_log 0x10", "gh_history block", "gh_history 0x10",
		}},
		{"switched", []string{"switched"}, []string{"gh_check", "gh_log", "gh_history block"}},
		{"stale", []string{"stale"}, []string{"gh_check", "gh_whatis block", "gh_hexdump block", "gh_history block"}},
		{"mistyped", []string{"shop"}, []string{
			"gh_bins --frob", "gh_slabs 99", "gh_slabs 1 2", "gh_blocks 7000", "gh_whatis", "gh_whatis 0x10", "gh_hexdump 0x10", "gh_hexdump block none", "gh_check slab", "gh_check 99", "gh_structs --type Apple",
			"gh_map 99", "gh_break", "gh_break alloc", "gh_break alloc many", "gh_break init now", "gh_watch 0x10", "gh_watch", "gh_slab 7000", "gh_whatis nosuchname", "gh_log", "gh_log block", "gh_history block", "gh_history", "gh_log --frob",
		}},
	} {
		t.Run(scene.name, func(t *testing.T) {
			t.Parallel()
			record(startHeaps(t, scene.scenes...)).typed(scene.commands...).golden(scene.name)
		})
	}
}
