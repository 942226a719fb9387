package render

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/glassheap/glassheap/allocator/report"
	"github.com/glassheap/glassheap/inspect"
)

// WatchView says what is shown of a heap that is being watched.
type WatchView struct {
	Height int       // lines; 0: as many as it takes
	Lists  WatchList // which list fills the lines
	Order  WatchOrder
	Trend  []uint64 // live bytes at the looks so far, the latest last
	State  string   // behind the time: "every 1s", "paused"
	Keys   string   // the last line; empty: none
}

// WatchList is what the lines below the figures list.
type WatchList int

const (
	WatchBoth WatchList = iota
	WatchBins
	WatchStacks
	watchLists
)

// Next is the list after this one.
func (l WatchList) Next() WatchList { return (l + 1) % watchLists }

// WatchOrder is by what a list is sorted.
type WatchOrder int

const (
	OrderBytes  WatchOrder = iota // the most live bytes first
	OrderAllocs                   // the busiest first
	OrderGrowth                   // what grows fastest first
	OrderBin                      // the smallest blocks first
	watchOrders
)

// Next is the order after this one.
func (o WatchOrder) Next() WatchOrder { return (o + 1) % watchOrders }

// String is what the list is sorted by.
func (o WatchOrder) String() string {
	return [...]string{"live bytes", "allocations", "growth", "size"}[o]
}

// leastStacks is how many stacks are shown at least beside the bins, where there are any.
const leastStacks = 3

// Watch writes one frame: a heap at one moment, in no more lines than the view has.
func Watch(w io.Writer, pulse *inspect.Pulse, s Style, v WatchView) error {
	p := newPage(w, s)
	var lines []string
	lines = append(lines, p.watchHead(pulse, v)...)
	room := math.MaxInt
	if v.Height > 0 {
		room = v.Height - len(lines)
		if v.Keys != "" {
			room -= 2
		}
	}
	bins, stacks := p.watchBins(pulse, v.Order), p.watchStacks(pulse, v.Order)
	switch {
	case v.Lists == WatchBins || len(stacks) == 0:
		stacks = nil
	case v.Lists == WatchStacks:
		bins = nil
	case v.Height > 0:
		forStacks := min(len(stacks), max(leastStacks+1, room-len(bins)-1))
		bins = bins[:clamp(room-forStacks-1, 0, len(bins))]
	}
	if len(bins) > 0 && len(stacks) > 0 {
		bins = append(bins, "")
	}
	lines = append(append(lines, bins...), stacks...)
	if v.Height > 0 {
		last := v.Height
		if v.Keys != "" {
			last--
		}
		lines = lines[:min(len(lines), max(0, last))]
		if v.Keys != "" {
			for len(lines) < last {
				lines = append(lines, "")
			}
			lines = append(lines, p.Paint(dim, v.Keys))
		}
	}
	for _, line := range lines {
		p.Printf("%s\n", p.cut(line))
	}
	return p.Err
}

func clamp(n, least, most int) int { return max(least, min(n, most)) }

// cut leaves out what would not fit in the line.
func (p *page) cut(line string) string {
	line = strings.TrimRight(line, " ")
	if width(line) <= p.Width {
		return line
	}
	return text.Trim(line, p.Width)
}

// ends puts one text at the left and another at the right end of a line.
func (p *page) ends(left, right string) string {
	if gap := p.Width - width(left) - width(right); gap >= 2 {
		return left + strings.Repeat(" ", gap) + right
	}
	return left
}

// watchHead are the figures of the whole heap.
func (p *page) watchHead(pulse *inspect.Pulse, v WatchView) []string {
	st := pulse.Stats
	name := fmt.Sprintf("heap %s in %s, %s", p.Paint(strong, fmt.Sprintf("%q", st.Heap.Name)), st.Heap.Owner, modeOf(st.Heap))
	when := pulse.Taken.Format("15:04:05")
	if v.State != "" {
		when = v.State + "  " + when
	}
	live := []string{p.Paint(live, number(st.LiveBlocks)) + " live blocks, " + size(st.LiveBytes), size(st.InUseBytes) + " in use", size(st.MappedBytes) + " mapped",
		fmt.Sprintf("%.0f %% unused", 100*st.Fragmentation)}
	var held []string
	if st.Quarantined > 0 {
		held = append(held, p.Paint(unsure, number(st.Quarantined))+" in quarantine")
	}
	if st.Withdrawn > 0 {
		held = append(held, p.Paint(damaged, number(st.Withdrawn)+" withdrawn"))
	}
	rates := "first look: rates come with the next one"
	if pulse.Since > 0 {
		r := pulse.Rates
		rates = fmt.Sprintf("alloc %s   free %s   live %s, %s", perSecond(r.Allocs), perSecond(r.Frees), signedRate(r.LiveBlocks, blocksPerSecond), p.growth(r.LiveBytes))
	}
	lines := []string{p.ends(name, p.Paint(dim, when)), strings.Join(live, "   ")}
	if len(held) > 0 {
		lines = append(lines, strings.Join(held, "   "))
	}
	lines = append(lines, rates)
	if len(v.Trend) > 1 {
		lines = append(lines, p.trend(v.Trend))
	}
	return append(lines, "")
}

// perSecond is a rate that is never below zero.
func perSecond(rate float64) string {
	value, prefix := humanize.ComputeSI(max(rate, 0))
	digits := 0
	switch {
	case value == 0 || rate < 1:
		return strconv.FormatFloat(max(rate, 0), 'f', 0, 64) + " /s"
	case value < 9.995:
		digits = 2
	case value < 99.95:
		digits = 1
	}
	return strconv.FormatFloat(value, 'f', digits, 64) + " " + prefix + "/s"
}

// signed is a rate with its sign.
func signedRate(rate float64, format func(float64) string) string {
	switch {
	case math.Abs(rate) < 0.5:
		return "±" + format(0)
	case rate < 0:
		return "−" + format(-rate)
	}
	return "+" + format(rate)
}

func bytesPerSecond(rate float64) string { return size(uint64(rate)) + "/s" }

func blocksPerSecond(rate float64) string {
	return strings.TrimSuffix(strings.TrimSuffix(perSecond(rate), "/s"), " ") + " blocks/s"
}

// growth is how fast live bytes become more, coloured where they do.
func (p *page) growth(rate float64) string {
	if rate > 0.5 {
		return p.Paint(unsure, signedRate(rate, bytesPerSecond))
	}
	return signedRate(rate, bytesPerSecond)
}

var trendSteps = []rune("▁▂▃▄▅▆▇█")

// trend draws how the live bytes went, the latest at the right.
func (p *page) trend(values []uint64) string {
	most := max(p.Width-40, 8)
	values = values[max(0, len(values)-most):]
	least, highest := slices.Min(values), slices.Max(values)
	var b strings.Builder
	for _, v := range values {
		step := 0
		if highest > least {
			step = int((v - least) * uint64(len(trendSteps)-1) / (highest - least))
		}
		b.WriteRune(trendSteps[step])
	}
	return fmt.Sprintf("%s  %s", p.Paint(live, b.String()), p.Paint(dim, fmt.Sprintf("live, from %s to %s", size(least), size(highest))))
}

// watchBins lists the bins that have slabs.
func (p *page) watchBins(pulse *inspect.Pulse, order WatchOrder) []string {
	var bins []inspect.PulseBin
	for _, b := range pulse.Bins {
		if b.Slabs > 0 {
			bins = append(bins, b)
		}
	}
	slices.SortStableFunc(bins, func(a, b inspect.PulseBin) int {
		switch order {
		case OrderBytes:
			return cmp.Compare(b.Live*uint64(b.Size), a.Live*uint64(a.Size))
		case OrderAllocs:
			return cmp.Compare(b.Rates.Allocs, a.Rates.Allocs)
		case OrderGrowth:
			return cmp.Compare(b.Rates.LiveBytes, a.Rates.LiveBytes)
		}
		return 0
	})
	var rows []table.Row
	var bars []share
	for _, b := range bins {
		rows = append(rows, table.Row{b.Bin, b.Size, number(b.Slabs), p.Paint(live, number(b.Live)), size(b.Live * uint64(b.Size)), perSecond(b.Rates.Allocs), p.growth(b.Rates.LiveBytes)})
		bars = append(bars, share{b.Live, b.Cached + b.Depot, b.Blocks})
	}
	if len(rows) == 0 {
		return []string{"no bin has a slab"}
	}
	return p.layWithBars(table.Row{"bin", "size", "slabs", "live", "bytes", "alloc", "growth"}, rows, bars, 0, 1, 2, 3, 4, 5, 6)
}

// watchStacks lists who allocated what is live, each in a line.
func (p *page) watchStacks(pulse *inspect.Pulse, order WatchOrder) []string {
	stacks := slices.Clone(pulse.Stacks)
	if order == OrderGrowth {
		slices.SortStableFunc(stacks, func(a, b inspect.PulseStack) int { return cmp.Compare(b.BytesRate, a.BytesRate) })
	}
	var rows []table.Row
	bytes := "bytes"
	for _, s := range stacks {
		if s.Samples > 0 {
			bytes = "about bytes" // and blocks
		}
		rows = append(rows, table.Row{size(s.Bytes), p.Paint(live, number(s.Blocks)), p.growth(s.BytesRate), p.origin(s.LeakGroup)})
	}
	if len(rows) == 0 {
		return nil
	}
	return p.lay(table.Row{bytes, "live", "growth", "allocated by"}, rows, []int{0, 1, 2})
}

// origin is the innermost calls of a group's stack, in one line.
func (p *page) origin(g inspect.LeakGroup) string {
	switch {
	case g.Oldest == nil || g.Unrecorded != "":
		return p.Paint(dim, g.Unrecorded)
	case len(g.Oldest.Frames) == 0 && len(g.Oldest.Addresses) > 0:
		return g.Oldest.Addresses[0].String()
	}
	var calls []string
	for i, f := range g.Oldest.Frames {
		call, _, generic := strings.Cut(report.ShortFunction(f.Function), "[")
		if generic {
			call += "[…]"
		}
		if i == 0 {
			call += " " + p.Paint(dim, f.Place())
		}
		calls = append(calls, call)
	}
	return strings.Join(calls, p.Paint(dim, " ← "))
}
