package debugging

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/stretchr/testify/require"
)

// Transcript is what a person would see in Delve: the commands that were typed, with their answers. Addresses, numbers of
// processes and times are made the same in every run.
type Transcript struct {
	Text  strings.Builder // what was recorded
	delve *Delve
	heaps int
	parts []heapRange
}

// heapRange is a part of a heap, and where it is shown to lie. Each part is shown at a place of its own, so that a transcript
// does not change when the parts of a heap move.
type heapRange struct{ start, end, shown uint64 }

// Record begins a transcript of a session.
func Record(d *Delve) *Transcript { return &Transcript{delve: d} }

// Typed types commands and keeps them and their answers.
func (r *Transcript) Typed(commands ...string) *Transcript {
	for _, command := range commands {
		answer := r.delve.Ask(command)
		if command == "restart" { // other heaps
			r.heaps, r.parts = 0, nil
		}
		r.learn()
		fmt.Fprintf(&r.Text, "(dlv) %s\n%s", r.normal(command), r.normal(answer))
	}
	return r
}

// learn finds out which heaps there are, and where their parts lie.
func (r *Transcript) learn() {
	for ; ; r.heaps++ {
		answer := r.delve.Ask(fmt.Sprintf("gh_structs --json --type Identity #%d", r.heaps+1))
		if !strings.HasPrefix(answer, "{") {
			return
		}
		var starts []uint64
		for _, field := range []string{"Base", "Bins", "Caches", "Arenas", "PageMap", "Descriptors", "Stacks", "Journals", "Records", "Guards", "Data"} {
			found := regexp.MustCompile(`"field": "` + field + `",\s+"found": "(0x[0-9a-f]+)"`).FindStringSubmatch(answer)
			require.NotNil(r.delve.T, found, answer)
			starts = append(starts, parse(found[1]))
		}
		starts = append(starts, starts[len(starts)-1]+1<<32)
		for i, place := range []uint64{0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 6} { // the data keep theirs, whatever parts come before them
			r.parts = append(r.parts, heapRange{starts[i], starts[i+1], 0x7f0000000000 + uint64(r.heaps)<<36 + place<<28})
		}
	}
}

var (
	addresses      = regexp.MustCompile(`0x[0-9a-f]{9,16}\b`)
	processes      = regexp.MustCompile(`\b(process|Process|PID) \d+`)
	asked          = regexp.MustCompile(`\bglassheap whatis \d+ `)
	durations      = regexp.MustCompile(`\b[\d.]+ (µs|ms|s)$`)
	positions      = regexp.MustCompile(`\(PC: (?:0x)?[0-9a-f]+\)`)
	breaks         = regexp.MustCompile(`(set|cleared) at 0x[0-9a-f]+`)
	allocatorLines = regexp.MustCompile(`\S*(allocator/\w+\.go):\d+`)
	goLines        = regexp.MustCompile(`\b(alloc|free|hooks|aligned|magazine)\.go:\d+`)
	listing        = regexp.MustCompile(`^(=>)?\s*\d+:\t`)
	excerpt        = regexp.MustCompile(`\|([0-9a-f]{2} ){7}[0-9a-f]{2}`)
	decimals       = regexp.MustCompile(`\*\(\*uint(\d+)\)\(\d+\)`)
	watchNames     = regexp.MustCompile(`hits goroutine\(\d+\)`)
)

func (r *Transcript) normal(text string) string {
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
		line = asked.ReplaceAllString(line, "glassheap whatis 4711 ")
		line = durations.ReplaceAllString(line, "12 ms")
		line = positions.ReplaceAllString(line, "(PC: 0x4d204a)")
		line = breaks.ReplaceAllString(line, "$1 at 0x4d204a")
		line = allocatorLines.ReplaceAllString(line, "$1")
		line = goLines.ReplaceAllString(line, "$1.go")
		line = excerpt.ReplaceAllString(line, "|·· ·· ·· ·· ·· ·· ·· ··")
		line = decimals.ReplaceAllString(line, "*(*uint$1)(…)")
		line = watchNames.ReplaceAllString(line, "hits goroutine(1)")
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func (r *Transcript) address(text string) string {
	n := parse(text)
	for _, p := range r.parts {
		if p.start <= n && n < p.end {
			return fmt.Sprintf("0x%x", n-p.start+p.shown)
		}
	}
	return "0x" + strings.Repeat("5", len(text)-2) // a seal, or something outside
}

func parse(text string) uint64 {
	n, _ := strconv.ParseUint(text, 0, 64)
	return n
}
