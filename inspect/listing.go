package inspect

import (
	"github.com/glassheap/glassheap/inspect/query"
)

// Listing is a list of which the user chose the columns, or that has no other form. Its rows are read while it is written, once.
type Listing struct {
	Heap  Summary // zero: it is about no single heap
	Table query.Table
	Notes []string
}

// ListOf lists rows that are there already.
func ListOf[R any](heap Summary, q *query.Query[R], rows []R, notes []string) *Listing {
	return &Listing{Heap: heap, Table: q.Over(query.Of(rows)), Notes: notes}
}

// Columned is the columns of a list, whatever its rows are.
type Columned interface {
	Named() string
	Heads() []query.Head
}

// ListColumns are the columns of every command that lists rows, by the command's name.
func ListColumns() []CommandColumns {
	return []CommandColumns{
		{"blocks", &BlockColumns}, {"slabs", &SlabColumns}, {"bins", &BinColumns}, {"leaks", &LeakColumns}, {"diff", &DiffColumns}, {"log", &LogColumns}, {"ps", &HeapColumns},
	}
}

// CommandColumns are the columns of a command's rows.
type CommandColumns struct {
	Command string
	Columned
}
