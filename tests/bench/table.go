package main

import (
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/glassheap/glassheap/tests/bench/peers"
)

// writeTables prints the comparison for people.
func writeTables(out io.Writer, c *Comparison) error {
	var page strings.Builder
	fmt.Fprintf(&page, "%s\n%s\n", c.Machine, c.Command)
	fmt.Fprintf(&page, "\nns for one allocation and one free, median of %s\n\n%s\n", counted(c.Rounds, "round"), times(c))
	fmt.Fprintf(&page, "\n%s\n", atomics(c))
	if c.Rounds > 1 {
		fmt.Fprintln(&page, steadiness(c))
	}
	for _, other := range []string{peers.ModerncMutex, peers.Make} {
		if !c.has(other) {
			continue
		}
		fmt.Fprintf(&page, "\nas a part of %s: below 1 glassheap is faster\n\n%s\n", other, ratios(c, other))
	}
	fmt.Fprintf(&page, "\naims\n\n%s\n", verdicts(c))
	_, err := io.WriteString(out, page.String())
	return err
}

func times(c *Comparison) string {
	t := newTable()
	header := table.Row{"workload"}
	for _, p := range peers.All() {
		header = append(header, p.Name)
	}
	t.AppendHeader(header)
	for _, w := range measured(c) {
		row := table.Row{w.String()}
		for _, p := range peers.All() {
			row = append(row, number(c.of(w.Name, w.Size, p.Name), 1))
		}
		t.AppendRow(row)
	}
	return t.Render()
}

// ratios are what glassheap takes as a part of what another peer takes.
func ratios(c *Comparison, other string) string {
	t := newTable()
	header := table.Row{"workload"}
	for _, p := range glassheaps() {
		header = append(header, p)
	}
	t.AppendHeader(header)
	for _, w := range measured(c) {
		row := table.Row{w.String()}
		for _, p := range glassheaps() {
			row = append(row, number(c.ratio(w.Name, w.Size, p, other), 2))
		}
		t.AppendRow(row)
	}
	return t.Render()
}

func verdicts(c *Comparison) string {
	t := newTable()
	for _, a := range c.Aims {
		ratio := math.NaN()
		if a.Ratio != nil {
			ratio = *a.Ratio
		}
		t.AppendRow(table.Row{
			a.Peer + " " + a.Workload + "/" + a.Size, fmt.Sprintf("at most %.2f of %s", a.AtMost, a.Of), number(ratio, 2), a.verdict(),
		})
	}
	return t.Render()
}

// atomics says what the ratio to a peer behind a mutex depends on.
func atomics(c *Comparison) string {
	var costs []string
	for _, f := range c.Atomics {
		costs = append(costs, fmt.Sprintf("%s %.1f ns", f.Name, f.Median))
	}
	return "uncontended atomics of this machine: " + strings.Join(costs, ", ")
}

// steadiness says how far a figure may be trusted: how far the rounds lie apart in the middle one of all figures, and in the
// worst.
func steadiness(c *Comparison) string {
	var spreads []float64
	worst := c.Figures[0]
	for _, f := range c.Figures {
		spreads = append(spreads, f.spread())
		if f.spread() > worst.spread() {
			worst = f
		}
	}
	return fmt.Sprintf("from the fastest to the slowest round: %.0f %% of the median for the middle one of all figures, %.0f %% for the worst (%s/%s/%s)",
		100*median(spreads), 100*worst.spread(), worst.Workload, worst.Size, worst.Name)
}

// glassheaps are the names of the peers that are glassheap.
func glassheaps() []string {
	return []string{peers.Sealed, peers.SealedSlice, peers.Plain, peers.PlainSlice}
}

// measured are the workloads of which there is a figure.
func measured(c *Comparison) []peers.Workload {
	var found []peers.Workload
	for _, w := range peers.Workloads() {
		for _, f := range c.Figures {
			if f.Workload == w.Name && f.Size == w.Size {
				found = append(found, w)
				break
			}
		}
	}
	return found
}

// newTable is a table without lines, its first column on the left and figures on the right.
func newTable() table.Writer {
	t := table.NewWriter()
	style := table.StyleLight
	style.Options = table.OptionsNoBordersAndSeparators
	style.Options.SeparateHeader = true
	style.Box.PaddingLeft, style.Box.PaddingRight = "  ", ""
	style.Format.Header = text.FormatDefault
	t.SetStyle(style)
	t.SuppressTrailingSpaces()
	var columns []table.ColumnConfig
	for i := 2; i <= 1+len(peers.All()); i++ {
		columns = append(columns, table.ColumnConfig{Number: i, Align: text.AlignRight, AlignHeader: text.AlignRight})
	}
	t.SetColumnConfigs(columns)
	return t
}

// number is a figure, or a dash where there is none.
func number(value float64, decimals int) string {
	if math.IsNaN(value) {
		return "–"
	}
	return fmt.Sprintf("%.*f", decimals, value)
}

// counted is a number with its noun.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
