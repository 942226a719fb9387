package upstream

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Told is an answer that must tell a bug.
type Told struct {
	Mode  string // what GLASSHEAP is to be
	By    Answer
	Kind  string // of the finding; ByLeaks has only one
	Stack string // which stack of the report: "allocated by", "freed by", "found by"; empty: there are none
	Shows string // what it must show: PlantedLine, or a function
}

// Tells is what an answer must tell.
func (a Answer) Tells(mode, kind, stack, shows string) Told {
	return Told{Mode: mode, By: a, Kind: kind, Stack: stack, Shows: shows}
}

// PlantedLine stands for FILE:LINE of the bug.
const PlantedLine = "PLANTED"

// Answer is who tells a bug.
type Answer int

const (
	ByViolation   Answer = iota // the program, in an operation of the heap
	ByFault                     // the program, at the very instruction
	ByCheck                     // glassheap check, asked when the program has done its work
	ByUnreachable               // glassheap leaks --unreachable, then too
	ByLeaks                     // the program, when it closes the heap
)

// RequireTold requires that the answer tells the bug, of its kind, and with the planted line, or the function, on the right stack.
func (r Run) RequireTold(t *testing.T, want Told, line string) {
	t.Helper()
	var finding, begins string
	switch want.By {
	case ByViolation: // before all others
		finding, begins = firstReport(r.Said, ""), fmt.Sprintf("^glassheap: %s during ", want.Kind)
	case ByFault: // which deferred calls may have overtaken
		require.False(t, r.Done)
		finding, begins = firstReport(r.Said, "during access of"), fmt.Sprintf("^glassheap: %s ", want.Kind)
	case ByLeaks:
		finding, begins = firstReport(r.Said, "live block"), "^glassheap: heap "
	case ByCheck:
		finding, begins = r.Check, want.Kind
	case ByUnreachable:
		finding, begins = r.Unreachable, want.Kind
	}
	require.Regexp(t, begins, finding, "%s", r.Said)
	t.Logf("%s\n%s", want.Mode, finding)
	if want.Stack == "" {
		return
	}
	shows := want.Shows
	if shows == PlantedLine {
		shows = line
	}
	require.Regexp(t, `[ .]`+regexp.QuoteMeta(shows)+`\s`, stack(finding, want.Stack), "%s is not on the stack %q of\n%s", shows, want.Stack, finding)
}

// firstReport is the first report of the program that has this in its first line; empty: there is none.
func firstReport(said, first string) string {
	var text strings.Builder
	for line := range strings.Lines(said) {
		begins := strings.HasPrefix(line, "glassheap: ")
		if begins && text.Len() > 0 {
			break
		}
		if text.Len() > 0 || begins && strings.Contains(line, first) {
			text.WriteString(line)
		}
	}
	return text.String()
}

var beginsStack = regexp.MustCompile(`^ +(allocated by|freed by|freed again by|found by|next) `)

// stack is the stacks of this name in a report.
func stack(report, name string) string {
	var text strings.Builder
	in := false
	for line := range strings.Lines(report) {
		if m := beginsStack.FindStringSubmatch(line); m != nil {
			in = m[1] == name
		} else if !strings.HasPrefix(line, "   ") {
			in = false
		}
		if in {
			text.WriteString(line)
		}
	}
	return text.String()
}
