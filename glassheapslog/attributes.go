package glassheapslog

import (
	"fmt"
	"log/slog"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/allocator/report"
)

// Attrs is a violation as attributes. Those in brackets are there as far as they are known; addresses are text, in hexadecimal, and sizes
// are in bytes.
//
//	kind           string    what rule was broken: "overflow", "double-free", … (allocator.Kind)
//	heap           string    its name
//	during         string    the operation that met it: "free", "alloc", "realloc", "usable size", "close"
//	address        string    as it was passed to the operation, or the block's
//	[block]        string    start of the block
//	[bin]          int       its size class; not of spans and guarded blocks
//	[size]         int       that was asked for
//	[state]        string    who has the block: "live", "quarantined", …
//	detail         string    what was found, by how much: "overflow by 1 byte, past a live block of 25"
//	[damaged]      group     at: string, the first byte; bytes: int, how many, as far as they were looked at
//	[likely]       string    what most likely led to it
//	[allocated]    group     goroutine: uint64; operation: uint64, its number; stack: []string, calls, the innermost first
//	[freed]        group     the same, of who freed it before
//	[now]          group     the same, of who met it
//	[next]         []string  commands that tell more
func Attrs(v *allocator.Violation) []slog.Attr { return attributes(v, nil) }

// Value is Attrs as one group: for an attribute of a record of one's own.
func Value(v *allocator.Violation) slog.Value { return slog.GroupValue(Attrs(v)...) }

// attributes is Attrs. met are the calls that met the violation, for a heap that is not audited.
func attributes(v *allocator.Violation, met []report.Frame) []slog.Attr {
	f := v.Finding()
	list := []slog.Attr{
		slog.String("kind", string(v.Kind)), slog.String("heap", v.Heap), slog.String("during", v.During),
		slog.String("address", f.Address.String()),
	}
	if v.Block != 0 {
		list = append(list, slog.String("block", report.Address(v.Block).String()))
	}
	if v.Bin >= 0 {
		list = append(list, slog.Int("bin", v.Bin))
	}
	if v.Size >= 0 {
		list = append(list, slog.Int("size", v.Size))
	}
	if f.Block != nil {
		list = append(list, slog.String("state", f.Block.Place.String()))
	}
	list = append(list, slog.String("detail", v.Detail))
	if e := v.Bytes; e != nil {
		list = append(list, slog.Group("damaged", slog.String("at", e.Damaged().String()), slog.Int("bytes", e.To-e.From)))
	}
	if v.Likely != "" {
		list = append(list, slog.String("likely", v.Likely))
	}
	if f.Block != nil {
		list = operation(list, "allocated", f.Block.Allocated)
		list = operation(list, "freed", f.Block.Freed)
	}
	if f.Now == nil && len(met) > 0 {
		f.Now = &report.Operation{Frames: met}
	}
	list = operation(list, "now", f.Now)
	if len(v.Next) > 0 {
		lines := make([]string, len(v.Next))
		for i, c := range v.Next {
			lines[i] = c.Line
		}
		list = append(list, slog.Any("next", lines))
	}
	return list
}

// operation adds who did something, if anybody knows.
func operation(to []slog.Attr, name string, o *report.Operation) []slog.Attr {
	if o == nil {
		return to
	}
	var who []any
	if o.Goroutine != 0 {
		who = append(who, slog.Uint64("goroutine", o.Goroutine))
	}
	if o.Sequence != 0 {
		who = append(who, slog.Uint64("operation", o.Sequence))
	}
	if len(o.Frames) > 0 {
		calls := make([]string, len(o.Frames))
		for i, f := range o.Frames {
			calls[i] = fmt.Sprintf("%s (%s)", f.Function, f.Place())
		}
		who = append(who, slog.Any("stack", calls))
	}
	return append(to, slog.Group(name, who...))
}
