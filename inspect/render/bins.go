package render

import (
	"fmt"
	"io"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/glassheap/glassheap/inspect"
)

// Bins writes the list of bins. Those without slabs are left out unless all are wanted.
func Bins(w io.Writer, r *inspect.BinsReport, s Style, all bool) error {
	p := newPage(w, s)
	p.heap(r.Heap)
	p.printf("\n")
	var rows []table.Row
	left := 0
	for _, b := range r.Bins {
		if b.Slabs == 0 && !all {
			left++
			continue
		}
		note := ""
		if b.Borrowed > 0 {
			note = count(b.Borrowed, "slab") + " borrowed"
		}
		rows = append(rows, table.Row{b.Bin, b.Size, b.Stride, number(b.Slabs), number(b.Blocks), p.paint(live, number(b.Live)), p.paint(cached, number(b.Cached+b.Depot)),
			number(b.Free), p.paint(dim, number(b.Virgin)), p.some(b.Withdrawn), p.bar(b.Live, b.Cached+b.Depot, b.Blocks, 24), note})
	}
	p.table(table.Row{"bin", "size", "stride", "slabs", "blocks", "live", "cached", "free", "virgin", "withdrawn", "", ""}, rows, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9)
	if left > 0 {
		p.printf("\n%s have no slab: --all lists them\n", count(uint64(left), "bin"))
	}
	return p.err
}

func number[T ~int | ~uint64 | ~uint32](n T) string { return humanize.Comma(int64(n)) }

// some shows a number that should be zero.
func (p *page) some(n uint64) string {
	if n == 0 {
		return p.paint(dim, "0")
	}
	return p.paint(damaged, number(n))
}

// bar draws how much of something is live, cached and the rest.
func (p *page) bar(lives, caches, all uint64, width int) string {
	if all == 0 {
		return ""
	}
	cells := func(n uint64) int { return int((n*uint64(width) + all - 1) / all) }
	l := min(cells(lives), width)
	c := min(cells(caches), width-l)
	return "▕" + p.paint(live, strings.Repeat("█", l)) + p.paint(cached, strings.Repeat("▒", c)) + p.paint(dim, strings.Repeat("·", width-l-c)) + "▏"
}

// Slabs writes the list of slabs.
func Slabs(w io.Writer, r *inspect.SlabsReport, s Style) error {
	p := newPage(w, s)
	p.heap(r.Heap)
	p.printf("\n")
	var rows []table.Row
	for _, b := range r.Slabs {
		rows = append(rows, table.Row{b.Slab, b.Base, b.Bin, b.Size, b.Pages, b.Capacity, p.paint(live, number(b.Live)), p.paint(cached, number(b.Cached)), number(b.Free),
			p.paint(dim, number(b.Virgin)), p.some(uint64(b.Withdrawn)), b.List, p.bar(uint64(b.Live), uint64(b.Cached), uint64(b.Capacity), 16)})
	}
	p.table(table.Row{"slab", "block 0", "bin", "size", "pages", "blocks", "live", "cached", "free", "virgin", "withdrawn", "list", ""}, rows, 0, 2, 3, 4, 5, 6, 7, 8, 9, 10)
	p.printf("\n%s\n", count(uint64(len(r.Slabs)), "slab"))
	if len(r.Slabs) > 0 {
		p.next(p.command("blocks", fmt.Sprint(r.Slabs[0].Slab)), "the blocks of the first")
	}
	return p.err
}

// Blocks writes the blocks of a slab.
func Blocks(w io.Writer, r *inspect.BlocksReport, s Style, all bool) error {
	p := newPage(w, s)
	p.heap(r.Heap)
	if r.Slab != nil {
		p.printf("slab %d, bin %d, blocks of %d B, %d of %d live\n", r.Slab.Slab, r.Slab.Bin, r.Slab.Size, r.Slab.Live, r.Slab.Capacity)
	}
	p.printf("\n")
	var rows []table.Row
	left := 0
	for _, b := range r.Blocks {
		if b.Place == inspect.PlaceVirgin && !all {
			left++
			continue
		}
		asked := "–"
		if b.Requested >= 0 {
			asked = fmt.Sprint(b.Requested)
		}
		seal := string(b.Seal)
		if b.Seal != inspect.SealIntact && b.Seal != inspect.SealNone {
			seal = p.paint(damaged, seal)
		}
		rows = append(rows, table.Row{b.Index, b.Address, p.place(b.Place), asked, seal})
	}
	p.table(table.Row{"block", "address", "place", "asked for", "seal"}, rows, 0, 3)
	if left > 0 {
		p.printf("\n%s were never handed out: --all lists them\n", count(uint64(left), "block"))
	}
	return p.err
}

// place is the word for a place, in its colour.
func (p *page) place(place inspect.Place) string {
	switch place {
	case inspect.PlaceLive, inspect.PlaceInFlight:
		return p.paint(live, place.String())
	case inspect.PlaceCached, inspect.PlaceDepot:
		return p.paint(cached, place.String())
	case inspect.PlaceLost, inspect.PlaceWithdrawn:
		return p.paint(damaged, place.String())
	}
	return p.paint(dim, place.String())
}
