package render

import (
	"io"

	"github.com/glassheap/glassheap/inspect"
)

// Snapshot writes what a snapshot holds.
func Snapshot(w io.Writer, r *inspect.SnapshotReport, s Style) error {
	p := newPage(w, s)
	p.heap(r.Heap)
	p.printf("wrote %s: %s of the heap in %s, %s on disk", r.Path, size(uint64(r.Bytes)), duration(r.Elapsed), size(uint64(r.FileBytes)))
	if r.Stopped > 0 {
		p.printf("; the process was stopped for %s", duration(r.Stopped))
	}
	p.printf("\n")
	p.Target = r.Path
	p.next(p.command("check", ""), "any command takes the snapshot in place of a process")
	return p.err
}
