package main

import (
	"fmt"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/internal/debugging"
)

// TestBugs: each that ends the program is told by its post-mortem, with the line that it was planted on.
func TestBugs(t *testing.T) {
	t.Parallel()
	for _, b := range []struct {
		bug         string
		environment string
		rows        int
		cause       inspect.CauseKind
		says        []string
	}{
		{"offsets", "mode=audit", 1000, inspect.CausePanic, []string{"overflow by 4 bytes", "allocated by", "main.originColumn", "PLANTED", "main.stringArray"}},
		{"offsets", "mode=sealed", 1000, inspect.CausePanic, []string{"overflow by 4 bytes"}},
		{"offsets", "guard=1/1", 20_480, inspect.CauseFault, []string{"main.putOffset", "main.originColumn"}}, // whole pages: it ends where the guard begins
		{"fencepost", "mode=audit", 1000, inspect.CausePanic, []string{"underflow by 1 byte", "allocated by", "main.originColumn", "PLANTED"}},
		{"fencepost", "mode=sealed", 1000, inspect.CausePanic, []string{"underflow by 1 byte"}},
		{"given", "mode=audit", 20_000, inspect.CauseFault, []string{"freed by", "memory.(*Buffer).Release", "main.originColumn", "PLANTED", "main.(*conversion).write"}},
		{"given", "mode=sealed", 20_000, inspect.CauseFault, []string{"main.(*conversion).write"}},
		{"given", "mode=audit", 1000, inspect.CausePanic, []string{"double-free", "freed by", "main.originColumn", "PLANTED"}},
		{"given", "mode=sealed", 1000, inspect.CausePanic, []string{"during free of", "main.(*conversion).pass"}}, // somebody else has the block by then, or nobody
	} {
		t.Run(fmt.Sprint(b.bug, b.environment, b.rows), func(t *testing.T) {
			t.Parallel()
			s := start(t, withBug(t, b.bug), b.environment)
			for range 20 { // not each sees to it that somebody looks
				if _, _, err := s.post("origin=from&batch=1000000", orders(b.rows)); err != nil {
					break
				}
			}
			said, err := s.End()
			require.Error(t, err)
			require.Contains(t, said, ".txt")
			p, text := s.postMortem()
			require.Equal(t, b.cause, p.Cause.Kind, text)
			for _, want := range b.says {
				if want == "PLANTED" {
					want = plantedAt(t, b.bug)
				}
				require.Contains(t, text, want, "it says:\n%s", text)
			}
		})
	}
}

// TestTheKeptBuffers are told while the program runs, by who allocated them, and once more when it ends.
func TestTheKeptBuffers(t *testing.T) {
	t.Parallel()
	s := start(t, withBug(t, "unreleased"), "mode=audit")
	var kept int64
	told := regexp.MustCompile(`(?s)allocated by.*main\.originColumn +origin\.go:\d+\n.*unreachable`)
	for text := ""; !told.MatchString(text); { // as long as Go has not collected what referred to them they are not unreachable
		require.Less(t, kept, int64(400), text)
		for range 5 {
			_, _, err := s.post("origin=from&batch=500", orders(2000))
			require.NoError(t, err)
			kept += 4
		}
		require.Equal(t, kept, s.figure("live_blocks"))
		text = debugging.Ask(t, "leaks", s.PID(), "--unreachable")
	}
	require.Contains(t, clean(t, "check", s.PID()), "healthy")
	said, err := s.interrupt()
	require.Error(t, err)
	require.Regexp(t, fmt.Sprintf(`(?s)%d live blocks.*main\.originColumn`, kept), said)
}
