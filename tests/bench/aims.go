package main

import (
	"math"

	"github.com/glassheap/glassheap/tests/bench/peers"
)

// Aim is a ratio between two peers of one run that glassheap is meant to stay below. It is a figure to work by and no
// assertion: missing one fails nothing.
type Aim struct {
	Peer     string   `json:"peer"`
	Workload string   `json:"workload"`
	Size     string   `json:"size"`
	Of       string   `json:"of"` // the peer it is compared with
	AtMost   float64  `json:"at_most"`
	Ratio    *float64 `json:"ratio"` // null when it was not measured
	Met      bool     `json:"met"`
}

// roundsForAims are the fewest whose medians say whether an aim is met.
const roundsForAims = 5

var aims = []Aim{
	{Peer: peers.Sealed, Workload: "pair", Size: "64", Of: peers.ModerncMutex, AtMost: 0.35},
	{Peer: peers.Sealed, Workload: "pair", Size: "64", Of: peers.Mimalloc, AtMost: 0.19},
	{Peer: peers.Sealed, Workload: "pair", Size: "64", Of: peers.Jemalloc, AtMost: 0.19},
	{Peer: peers.Sealed, Workload: "pair", Size: "64", Of: peers.Tcmalloc, AtMost: 0.19},
	{Peer: peers.Sealed, Workload: "pair", Size: "64", Of: peers.Make, AtMost: 0.40},
	{Peer: peers.Sealed, Workload: "pair", Size: "64", Of: peers.Modernc, AtMost: 1.50},
	{Peer: peers.Sealed, Workload: "burst", Size: "64", Of: peers.ModerncMutex, AtMost: 0.50},
	{Peer: peers.Sealed, Workload: peers.Mix, Size: "lognormal", Of: peers.ModerncMutex, AtMost: 0.75},
	{Peer: peers.Sealed, Workload: peers.Mix, Size: "lognormal", Of: peers.Make, AtMost: 0.40},
	{Peer: peers.Sealed, Workload: "producer-consumer", Size: "64", Of: peers.ModerncMutex, AtMost: 0.45},
	{Peer: peers.Sealed, Workload: "producer-consumer", Size: "64", Of: peers.Mimalloc, AtMost: 0.20},
	{Peer: peers.Sealed, Workload: "trace", Size: "lua", Of: peers.Malloc, AtMost: 0.35},
	{Peer: peers.Sealed, Workload: "trace", Size: "python", Of: peers.Malloc, AtMost: 0.35},
	{Peer: peers.Sealed, Workload: "trace", Size: "sqlite", Of: peers.Malloc, AtMost: 0.35},
	{Peer: peers.Plain, Workload: "pair", Size: "64", Of: peers.ModerncMutex, AtMost: 0.25},
	{Peer: peers.Audit, Workload: "pair", Size: "64", Of: peers.Ristretto, AtMost: 0.50},
	{Peer: peers.Audit, Workload: "burst", Size: "64", Of: peers.Ristretto, AtMost: 0.60},
	{Peer: peers.Audit, Workload: "pair", Size: "64", Of: peers.ArrowChecked, AtMost: 0.08},
}

func judge(c *Comparison) []Aim {
	var judged []Aim
	for _, a := range aims {
		if ratio := c.ratio(a.Workload, a.Size, a.Peer, a.Of); !math.IsNaN(ratio) {
			a.Ratio, a.Met = &ratio, ratio <= a.AtMost
		}
		judged = append(judged, a)
	}
	return judged
}

// verdict is the aim's outcome in words.
func (a Aim) verdict() string {
	switch {
	case a.Ratio == nil:
		return "not measured"
	case a.Met:
		return "met"
	default:
		return "missed"
	}
}
