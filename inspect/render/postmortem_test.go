package render_test

import (
	"io"
	"testing"
	"time"

	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/render"
)

// postMortemOf is that of a program with a heap whose block was overrun, and one that is gone.
func postMortemOf(t *testing.T) *inspect.PostMortem {
	m := sessionsImage()
	block := m.block(t, inspect.PlaceLive, 50, 9)
	m.flip(t, block.Address+56, 1)
	w, err := m.open(t).Whatis(uint64(block.Address) + 58)
	must(err)
	status := 2
	return &inspect.PostMortem{
		Version: inspect.PostMortemVersion, PID: 4711, Program: "ser\x1bver", Died: time.Date(2026, 11, 24, 21, 0, 0, 0, time.UTC),
		Cause:     inspect.Cause{Kind: inspect.CauseFault, Summary: "a fault at address 0x18 (SIGSEGV: segmentation violation)", Status: &status, Memory: "the kernel has killed in this cgroup"},
		Notes:     []string{"the crash text is longer than 4 MiB and was cut"},
		Addresses: []inspect.AddressOfCrash{{Address: 0x18, Sentence: "a nil pointer"}, {Address: w.Address, Heap: "sessions", Snapshot: "a.snapshot", Sentence: w.Sentence, Whatis: w}},
		Heaps: []inspect.HeapOfPostMortem{
			{Name: "sessions", Check: m.check(t), Snapshot: "a.snapshot"},
			{Name: "gone", Problem: "it was in anonymous memory, which is gone with the program", NotSnapshot: "Options.SnapshotBytes says so"},
		},
		Findings: 1,
		Stack:    "goroutine 1 [running]:\nmain.main()\n\t/src/\x1b[31mmain.go:7 +0x1c\n",
	}
}

func TestPostMortem(t *testing.T) {
	p := postMortemOf(t)
	goldenInColor(t, "postmortem", func(w io.Writer, s render.Style) error {
		s.Target = "/var/it's"
		return render.PostMortem(w, p, s)
	})
	golden(t, "postmortem_empty", func(w io.Writer, s render.Style) error {
		return render.PostMortem(w, &inspect.PostMortem{PID: 4711, Program: "server", Cause: inspect.Cause{Summary: "SIGKILL"}}, s)
	})
}

func TestPostMortems(t *testing.T) {
	p := postMortemOf(t)
	golden(t, "postmortems", func(w io.Writer, s render.Style) error {
		return render.PostMortems(w, []inspect.PostMortemFile{{Path: "/tmp/a.json", PostMortem: p}, {Path: "/tmp/b.json", Problem: "it is \x1b no JSON"},
			{Path: "/tmp/c.json", PostMortem: &inspect.PostMortem{PID: 8, Program: "a program with a long name", Cause: inspect.Cause{Summary: "SIGKILL"}}}}, "/tmp", s)
	})
	golden(t, "postmortems_none", func(w io.Writer, s render.Style) error { return render.PostMortems(w, nil, "/tmp", s) })
}
