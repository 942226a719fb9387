package render

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/glassheap/glassheap/allocator/report"
	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/query"
)

// List writes a list as a table. It holds the rows that decide how wide the columns are, and no more: a list may be of any
// length. The last column is cut where a terminal ends, and whole where there is none.
func List(w io.Writer, r *inspect.Listing, s Style) error {
	buffer := bufio.NewWriter(w)
	p := newPage(buffer, s)
	if r.Heap.Version != 0 {
		p.heap(r.Heap)
		p.Printf("\n")
	}
	l := lister{page: p, heads: r.Table.Heads(), terminal: s.Width > 0}
	first, err := l.rows(r.Table)
	if err != nil {
		_ = buffer.Flush()
		return err
	}
	p.tally(r.Table.Named(), r.Table.Tally())
	p.notes(r.Notes)
	if first != 0 {
		p.next(p.command("whatis", first.String()), "the first of them")
	}
	if err := buffer.Flush(); p.Err == nil {
		p.Err = err
	}
	return p.Err
}

// widthRows is how many rows decide how wide the columns are. A cell further down that is wider pushes what is behind it.
const widthRows = 500

// lister writes the rows of a list.
type lister struct {
	*page
	heads    []query.Head
	terminal bool
	wide     []int
	waiting  [][]string // rows, until the columns' widths are known
}

// rows writes all rows. It returns the address that the first of them shows first; 0: it shows none.
func (l *lister) rows(t query.Table) (first inspect.Address, err error) {
	n := 0
	for cells, err := range t.Cells() {
		if err != nil {
			return 0, err
		}
		row := make([]string, len(cells))
		for i, c := range cells {
			row[i] = l.cell(l.heads[i], c)
			if a, ok := c.(uint64); ok && n == 0 && first == 0 {
				first = inspect.Address(a)
			}
		}
		if n++; n <= widthRows {
			l.waiting = append(l.waiting, row)
		} else {
			l.begin()
			l.line(row)
		}
		if l.Err != nil {
			return 0, l.Err
		}
	}
	l.begin()
	if n > 0 {
		l.Printf("\n")
	}
	return first, nil
}

// begin writes the rows that have waited, below the names of the columns.
func (l *lister) begin() {
	if len(l.waiting) == 0 {
		return
	}
	l.wide = make([]int, len(l.heads))
	names := make([]string, len(l.heads))
	for i, h := range l.heads {
		names[i] = l.Paint(dim, title(h))
		l.wide[i] = width(names[i])
		for _, row := range l.waiting {
			l.wide[i] = max(l.wide[i], width(row[i]))
		}
	}
	l.line(names)
	for _, row := range l.waiting {
		l.line(row)
	}
	l.waiting = nil
}

// title is a column's name above it.
func title(h query.Head) string { return strings.ReplaceAll(h.Name, "_", " ") }

func (l *lister) line(row []string) {
	var b strings.Builder
	for i, cell := range row {
		if i > 0 {
			b.WriteString("  ")
		}
		blanks := strings.Repeat(" ", max(0, l.wide[i]-width(cell)))
		switch {
		case l.heads[i].Kind.Numeric() && l.heads[i].Kind != query.Address:
			b.WriteString(blanks + cell)
		case i == len(row)-1 && l.terminal:
			l.Printf("%s\n", l.fitting(b.String(), cell))
			return
		default:
			b.WriteString(cell + blanks)
		}
	}
	l.Printf("%s\n", strings.TrimRight(b.String(), " "))
}

// cell is a value as a table shows it.
func (p *page) cell(h query.Head, value any) string {
	switch v := value.(type) {
	case nil:
		return p.Paint(dim, "–")
	case uint64:
		return inspect.Address(v).String()
	case bool:
		if v {
			return "yes"
		}
		return "no"
	case string:
		if h.Kind == query.Function {
			return visible(shortFunctions(v))
		}
		if h.Kind == query.Word {
			if color, ok := wordColors[v]; ok {
				return p.Paint(color, v)
			}
		}
		return visible(v)
	case int:
		if h.Kind == query.Number {
			return fmt.Sprint(v)
		}
		return number(v)
	}
	return fmt.Sprint(value)
}

// wordColors are the colours of words that the eye should find.
var wordColors = map[string]report.Color{
	"live": live, "in-flight": live, "cached": cached, "depot": cached, "free": dim, "virgin": dim, "none": dim, "quarantined": unsure, "orphaned": unsure,
	"lost": damaged, "withdrawn": damaged, "broken": damaged, "wrong": damaged, "slack": damaged, "poison": damaged,
}

// shortFunctions is the names of a stack without the paths of their packages.
func shortFunctions(stack string) string {
	names := strings.Split(stack, " < ")
	for i := range names {
		names[i] = report.ShortFunction(names[i])
	}
	return strings.Join(names, " < ")
}

// tally says how many rows a list has, and what is not listed.
func (p *page) tally(rows string, t query.Tally) {
	p.Printf("%s\n", count(uint64(t.Listed), strings.TrimSuffix(rows, "s")))
	p.beyond(t.Left)
	if t.More {
		p.Printf("more match and are beyond the limit\n")
	}
	if t.Sorted && t.Ordered >= worthSaying {
		p.Prose("", p.Paint(dim, fmt.Sprintf("sorting held these rows in %s of memory: --limit N holds N of them", size(uint64(t.Ordered)))))
	}
}

// worthSaying is how much memory is worth a word.
const worthSaying = 64 << 20
