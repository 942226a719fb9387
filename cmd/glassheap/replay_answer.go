package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/glassheap/glassheap/cmd/glassheap/internal/replay"
	"github.com/glassheap/glassheap/cmd/glassheap/internal/watcher"
	"github.com/glassheap/glassheap/internal/mtrace"
)

// replayed is the answer of the replay command for one recording.
type replayed struct {
	Trace string `json:"trace"`
	replay.Result
	watcher.Seen
	Malformed []malformedLine `json:"malformed,omitempty"` // the first of them
}

// malformedLine is a line of a recording that made no sense.
type malformedLine struct {
	Line   int    `json:"line"`
	Text   string `json:"text"`
	Reason string `json:"reason"`
}

func malformedLines(lines []mtrace.Malformed) (malformed []malformedLine) {
	for _, l := range lines {
		malformed = append(malformed, malformedLine(l))
	}
	return malformed
}

// write writes the answer as text. alone says that nobody checked.
func (r replayed) write(w io.Writer, alone bool) error {
	var b strings.Builder
	line := func(name string, n uint64, meaning string) {
		fmt.Fprintf(&b, "%s\n", strings.TrimRight(fmt.Sprintf("  %-12s%11s   %s", name, humanize.Comma(int64(n)), meaning), " "))
	}
	fmt.Fprintf(&b, "replayed %s in %.2f s\n", r.Trace, r.Seconds)
	line("allocs", r.Allocs, "")
	unknown := ""
	if r.UnknownFrees > 0 {
		unknown = fmt.Sprintf("%s of them of blocks from before the recording", humanize.Comma(int64(r.UnknownFrees)))
	}
	line("frees", r.Frees, unknown)
	line("reallocs", r.Reallocs, "")
	line("peak", r.PeakLiveBlocks, "blocks, "+humanize.IBytes(r.PeakLiveBytes))
	line("live at end", r.LiveBlocks, "blocks, "+humanize.IBytes(r.LiveBytes))
	if alone {
		line("checks", 0, "nobody checked: --no-check")
	} else {
		held := "it held this one still never"
		if r.Stops > 0 {
			held = fmt.Sprintf("it held this one still %s, for %s at most", times(r.Stops), r.Longest.Round(1000))
		}
		line("checks", uint64(r.Checks), "by a second process; "+held)
		line("findings", uint64(r.Findings), "")
	}
	for _, f := range r.First {
		fmt.Fprintf(&b, "    %s\n", f.Summary)
	}
	if r.MalformedLines > 0 {
		line("malformed", uint64(r.MalformedLines), "lines of the recording that were left out")
	}
	for _, m := range r.Malformed {
		fmt.Fprintf(&b, "    line %d, %q: %s\n", m.Line, m.Text, m.Reason)
	}
	if r.TornLastLine {
		fmt.Fprintf(&b, "  the last line is torn: the recording was cut off\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// times is how often something happened, in words.
func times(n int) string {
	if n == 1 {
		return "once"
	}
	return humanize.Comma(int64(n)) + " times"
}
