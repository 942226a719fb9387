package replay

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/internal/mtrace"
	"github.com/stretchr/testify/require"
)

// recorded gives the reader of a recording that is a string.
func recorded(text string) func() (*mtrace.Reader, error) {
	return func() (*mtrace.Reader, error) { return mtrace.NewReader(strings.NewReader(text), "test") }
}

// script writes events down as glibc would.
func script(events []mtrace.Event) string {
	var text strings.Builder
	text.WriteString("= Start\n")
	for _, e := range events {
		switch e.Op {
		case mtrace.Alloc, mtrace.FailedRealloc:
			fmt.Fprintf(&text, "@ ./a:(f+0x1)[0x1] %c %#x %#x\n", e.Op, e.Address, e.Size)
		case mtrace.Free:
			fmt.Fprintf(&text, "@ ./a:(g+0x1)[0x2] - %#x\n", e.Address)
		case mtrace.Realloc:
			fmt.Fprintf(&text, "@ ./a:(h+0x1)[0x3] < %#x\n@ ./a:(h+0x1)[0x3] > %#x %#x\n", e.Old, e.Address, e.Size)
		}
	}
	text.WriteString("= End\n")
	return text.String()
}

func newHeap(t testing.TB, mode allocator.Mode) *allocator.Heap {
	h, err := allocator.New(allocator.Options{Name: t.Name()[:min(len(t.Name()), 31)], Mode: mode, ReserveBytes: 256 << 20, OnViolation: func(*allocator.Violation) {}})
	require.NoError(t, err)
	t.Cleanup(func() { _ = h.Close() })
	return h
}

func newReplay(t testing.TB, o Options) *Replay {
	r, err := New(o)
	require.NoError(t, err)
	return r
}

func run(r *Replay, text string) (Result, error) {
	return r.Run(context.Background(), recorded(text))
}
