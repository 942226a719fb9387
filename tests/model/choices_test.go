package model

import (
	"math/rand/v2"

	"pgregory.net/rapid"
)

// choices is where a player's random numbers come from.
type choices interface {
	// below is a number from 0 to n-1; what says what it is for.
	below(n int, what string) int
}

// drawn are choices that rapid makes, and shrinks when a test fails. They are for one goroutine.
type drawn struct{ t *rapid.T }

func (d drawn) below(n int, what string) int { return rapid.IntRange(0, n-1).Draw(d.t, what) }

// seeded are choices that follow from a number, for goroutines of which each needs its own.
type seeded struct{ r *rand.Rand }

func newSeeded(seed, goroutine uint64) seeded { return seeded{rand.New(rand.NewPCG(seed, goroutine))} }

func (s seeded) below(n int, _ string) int { return s.r.IntN(n) }

// oneOf chooses among values.
func oneOf[T any](c choices, what string, values ...T) T { return values[c.below(len(values), what)] }
