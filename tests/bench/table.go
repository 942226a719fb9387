package main

import (
	"fmt"
	"io"
	"math"
	"slices"
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
	fmt.Fprintf(&page, "\n%s\n%s", atomics(c), loops(c))
	if c.Rounds > 1 {
		fmt.Fprintln(&page, steadiness(c))
	}
	for _, other := range []string{peers.ModerncMutex, peers.Make} {
		if !c.has(other) {
			continue
		}
		fmt.Fprintf(&page, "\nas a part of %s: below 1 glassheap is faster\n\n%s\n", other, ratios(c, other))
	}
	if c.has(peers.Sealed) && len(measuredPeers(c)) > 1 {
		fmt.Fprintf(&page, "\n%s as a part of each: below 1 it is faster\n\n%s\n", peers.Sealed, parts(c))
	}
	if len(c.Absent) > 0 {
		fmt.Fprintf(&page, "\nabsent, and how to get them\n\n%s\n", absences(c))
	}
	fmt.Fprintf(&page, "\naims%s\n\n%s\n", reservation(c), verdicts(c))
	_, err := io.WriteString(out, page.String())
	return err
}

// times are the figures of all peers, side by side as far as a line holds them.
func times(c *Comparison) string {
	return panels(c, measuredPeers(c), func(w peers.Workload, peer string) string { return number(c.of(w.Name, w.Size, peer), 1) })
}

// parts are what a sealed heap takes as a part of what each other peer takes.
func parts(c *Comparison) string {
	var others []string
	for _, p := range measuredPeers(c) {
		if p != peers.Sealed {
			others = append(others, p)
		}
	}
	return panels(c, others, func(w peers.Workload, peer string) string {
		return number(c.ratio(w.Name, w.Size, peers.Sealed, peer), 2)
	})
}

const peersInALine = 10

// panels are tables with a row for each workload and a column for each peer.
func panels(c *Comparison, columns []string, cell func(w peers.Workload, peer string) string) string {
	var tables []string
	for some := range slices.Chunk(columns, peersInALine) {
		t := newTable()
		header := table.Row{"workload"}
		for _, peer := range some {
			header = append(header, peer)
		}
		t.AppendHeader(header)
		for _, w := range measured(c) {
			row := table.Row{w.String()}
			for _, peer := range some {
				row = append(row, cell(w, peer))
			}
			t.AppendRow(row)
		}
		tables = append(tables, t.Render())
	}
	return strings.Join(tables, "\n\n")
}

// ratios are what glassheap takes as a part of what another peer takes.
func ratios(c *Comparison, other string) string {
	var columns []string
	for _, p := range glassheaps() {
		if c.has(p) {
			columns = append(columns, p)
		}
	}
	return panels(c, columns, func(w peers.Workload, peer string) string {
		return number(c.ratio(w.Name, w.Size, peer, other), 2)
	})
}

// absences say which peers are missing, and how to get them.
func absences(c *Comparison) string {
	t := newTable()
	for _, a := range c.Absent {
		t.AppendRow(table.Row{a.Name, a.Why, a.From})
	}
	t.SetColumnConfigs(nil) // words
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
	t.SetColumnConfigs([]table.ColumnConfig{{Number: 3, Align: text.AlignRight}}) // the others are words
	return t.Render()
}

// reservation says when the verdicts are no more than a first look.
func reservation(c *Comparison) string {
	if c.Rounds >= roundsForAims {
		return ""
	}
	return fmt.Sprintf(": a first look, they are meant for at least %d rounds", roundsForAims)
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
	return []string{peers.Sealed, peers.SealedSlice, peers.Plain, peers.PlainSlice, peers.Audit}
}

// measuredPeers are the names of the peers of which there is a figure.
func measuredPeers(c *Comparison) []string {
	var found []string
	for _, p := range peers.All() {
		if c.has(p.Name) {
			found = append(found, p.Name)
		}
	}
	return found
}

// measured are the workloads of which there is a figure.
func measured(c *Comparison) []peers.Workload {
	var found []peers.Workload
	for _, f := range c.Figures {
		w := peers.Workload{Name: f.Workload, Size: f.Size}
		if !slices.ContainsFunc(found, func(other peers.Workload) bool { return other.String() == w.String() }) {
			found = append(found, w)
		}
	}
	return found
}

// loops says what the mix costs without an allocator; empty when it was not measured.
func loops(c *Comparison) string {
	var costs []string
	for _, f := range c.Figures {
		for _, loop := range peers.Loops() {
			if f.Name == loop.Name {
				costs = append(costs, fmt.Sprintf("%s %.1f ns", f.Name, f.Median))
			}
		}
	}
	if len(costs) == 0 {
		return ""
	}
	return fmt.Sprintf("the loop of %s without an allocator: %s; subtracted in all ratios\n", peers.Mix, strings.Join(costs, ", "))
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
	for i := 2; i <= 1+peersInALine; i++ {
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
