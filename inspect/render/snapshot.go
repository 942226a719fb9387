package render

import (
	"fmt"
	"io"

	"github.com/glassheap/glassheap/inspect"
)

// Snapshot writes what a snapshot holds. Style.Target is the snapshot, not the heap that it is of.
func Snapshot(w io.Writer, r *inspect.SnapshotReport, s Style) error {
	p := newPage(w, s)
	p.heap(r.Heap)
	wrote := []string{fmt.Sprintf("wrote %s: %s of the heap in %s, %s on disk", r.Path, size(uint64(r.Bytes)), duration(r.Elapsed), size(uint64(r.FileBytes)))}
	if r.Stopped > 0 {
		wrote = append(wrote, "the process was stopped for "+duration(r.Stopped))
	}
	p.phrases("; ", wrote...)
	if r.Metadata {
		p.note("what the program keeps in its blocks was left out: of these, the file has the seals only")
	}
	p.next(p.command("check", ""), "any command takes it like a process")
	return p.Err
}
