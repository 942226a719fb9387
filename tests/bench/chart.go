package main

import (
	_ "embed"
	"fmt"
	"io"
	"math"
	"text/template"

	"github.com/glassheap/glassheap/tests/bench/peers"
)

// The chart has a panel for each workload, and in it a bar for each peer: how many times as long as a sealed heap it takes, on a
// logarithmic scale. Bars to the right of the line are slower, those to the left faster.
const (
	panelsInARow = 3
	panelWidth   = 384
	panelGap     = 32
	nameWidth    = 112 // of a peer's name, before the bars
	ratioWidth   = 56  // of the figure, behind them
	barPitch     = 17
	titleHeight  = 30
	margin       = 32
	headHeight   = 84
)

//go:embed chart.svg.tmpl
var chartSource string

var chartTemplate = template.Must(template.New("chart").Parse(chartSource))

// chart is what the template draws, in pixels.
type chart struct {
	Width, Height int
	Machine       string
	Command       string
	Rounds        string
	Peer          string // that all bars are compared with
	Panels        []panel
}

type panel struct {
	X, Y   int
	Title  string
	Note   string // what the reference takes
	Line   float64
	Bottom int
	Bars   []bar
}

type bar struct {
	Y        int
	Name     string
	X, Width float64
	Ratio    string
	RatioX   float64
	Faster   bool // than the reference
}

// writeChart draws the comparison as SVG.
func writeChart(out io.Writer, c *Comparison) error {
	drawn := chart{Machine: c.Machine.String(), Command: c.Command, Rounds: counted(c.Rounds, "round"), Peer: peers.Sealed}
	scale := scaleOf(c)
	y, tallest := headHeight, 0
	for _, w := range measured(c) {
		p, ok := panelOf(c, w, scale)
		if !ok {
			continue
		}
		column := len(drawn.Panels) % panelsInARow
		if column == 0 && len(drawn.Panels) > 0 {
			y, tallest = y+tallest+panelGap, 0
		}
		p.X, p.Y = margin+column*(panelWidth+panelGap), y
		tallest = max(tallest, p.Bottom)
		drawn.Panels = append(drawn.Panels, p)
	}
	if len(drawn.Panels) == 0 {
		return fmt.Errorf("there is nothing to draw: no workload was measured with %s and another peer", peers.Sealed)
	}
	drawn.Width = 2*margin + panelsInARow*panelWidth + (panelsInARow-1)*panelGap
	drawn.Height = y + tallest + margin
	return chartTemplate.Execute(out, drawn)
}

// scale turns ratios into pixels. All panels have the same, so that bars of two panels may be compared.
type scale struct{ least, most float64 } // logarithms

func scaleOf(c *Comparison) scale {
	s := scale{}
	for _, w := range measured(c) {
		for _, p := range measuredPeers(c) {
			if ratio := c.ratio(w.Name, w.Size, p, peers.Sealed); ratio > 0 {
				s.least, s.most = min(s.least, math.Log(ratio)), max(s.most, math.Log(ratio))
			}
		}
	}
	return s
}

// x is where a ratio lies, from the panel's left edge. Both sides of the line have room for a short bar.
func (s scale) x(ratio float64) float64 {
	const left, right = nameWidth + 8, panelWidth - ratioWidth
	if s.most == s.least {
		return left
	}
	return left + (right-left)*(math.Log(ratio)-s.least)/(s.most-s.least)
}

func panelOf(c *Comparison, w peers.Workload, s scale) (p panel, ok bool) {
	line := s.x(1)
	p = panel{Title: w.String(), Note: fmt.Sprintf("%s %s ns", peers.Sealed, nanoseconds(c.of(w.Name, w.Size, peers.Sealed))), Line: line}
	for _, name := range measuredPeers(c) {
		ratio := c.ratio(w.Name, w.Size, name, peers.Sealed)
		if name == peers.Sealed || !(ratio > 0) { // a dash in the tables
			continue
		}
		x := s.x(ratio)
		p.Bars = append(p.Bars, bar{
			Y: titleHeight + len(p.Bars)*barPitch, Name: name,
			X: min(x, line), Width: math.Abs(x - line),
			Ratio: ratioText(ratio), RatioX: max(x, line) + 6, Faster: ratio < 1,
		})
	}
	p.Bottom = titleHeight + len(p.Bars)*barPitch
	return p, len(p.Bars) > 0
}

// ratioText has as many digits as the eye can use.
func ratioText(ratio float64) string {
	switch {
	case ratio >= 10:
		return fmt.Sprintf("%.0f", ratio)
	case ratio >= 1:
		return fmt.Sprintf("%.1f", ratio)
	default:
		return fmt.Sprintf("%.2f", ratio)
	}
}

func nanoseconds(ns float64) string {
	if ns >= 1000 {
		return fmt.Sprintf("%.0f", ns)
	}
	return fmt.Sprintf("%.1f", ns)
}
