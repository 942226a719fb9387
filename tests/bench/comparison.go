package main

import (
	"math"
	"slices"

	"github.com/glassheap/glassheap/tests/bench/peers"
)

// Comparison is what a run has found.
type Comparison struct {
	// Machine is where, Command how it was measured.
	Machine Machine `json:"machine"`
	Command string  `json:"command"`
	Rounds  int     `json:"rounds"`
	// Atomics are what the machine's uncontended atomics cost.
	Atomics []Figure `json:"atomics"`
	// Figures are those of the peers, workload by workload.
	Figures []Figure `json:"figures"`
	// Absent are the peers that could not be measured.
	Absent []peers.Absence `json:"absent"`
	// Aims are what glassheap is meant to reach, and whether it does.
	Aims []Aim `json:"aims"`
}

// Figure is the time of one operation: a pair of an allocation and a free, or an atomic.
type Figure struct {
	Workload string    `json:"workload,omitempty"`
	Size     string    `json:"size,omitempty"`
	Name     string    `json:"name"`      // of the peer or the atomic
	Rounds   []float64 `json:"rounds_ns"` // one for each round
	Median   float64   `json:"median_ns"`
}

func (f *Figure) add(ns float64) {
	f.Rounds = append(f.Rounds, ns)
	f.Median = median(f.Rounds)
}

// spread is how far the rounds lie apart, as a part of the median.
func (f Figure) spread() float64 {
	return (slices.Max(f.Rounds) - slices.Min(f.Rounds)) / f.Median
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// of is the median of a peer in a workload, NaN when it was not measured.
func (c *Comparison) of(workload, size, peer string) float64 {
	for _, f := range c.Figures {
		if f.Workload == workload && f.Size == size && f.Name == peer {
			return f.Median
		}
	}
	return math.NaN()
}

// has reports whether the peer was measured at all.
func (c *Comparison) has(peer string) bool {
	return slices.ContainsFunc(c.Figures, func(f Figure) bool { return f.Name == peer })
}

// alone is a peer's median without the workload's own loop, where that was measured.
func (c *Comparison) alone(workload, size, peer string) float64 {
	took := c.of(workload, size, peer)
	if loop := c.of(workload, size, peers.LoopOf(peer)); !math.IsNaN(loop) {
		return took - loop
	}
	return took
}

// ratio is what peer takes as a part of what other takes, less the workload's own loop; NaN when one of them was not measured.
func (c *Comparison) ratio(workload, size, peer, other string) float64 {
	return c.alone(workload, size, peer) / c.alone(workload, size, other)
}
