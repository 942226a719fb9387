package target

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Stopping says how far a running process may be held still while it is looked at.
type Stopping string

const (
	StopAuto  Stopping = "auto"  // for moments, when an answer needs it
	StopNever Stopping = "never" // not at all
	StopWhole Stopping = "whole" // from Open to Close, for WholeLimit at most
)

// WholeLimit is how long StopWhole holds a process. After that it goes on, and the target fails.
const WholeLimit = 10 * time.Second

// Stoppings lists the values of Stopping.
var Stoppings = []Stopping{StopAuto, StopNever, StopWhole}

// Means is what the value does, in a few words; empty for no value.
func (s Stopping) Means() string {
	switch s {
	case StopAuto:
		return "for moments, when an answer needs it"
	case StopNever:
		return "not at all: what only a stop could settle stays unsettled"
	case StopWhole:
		return fmt.Sprintf("from beginning to end, for %v at most", WholeLimit)
	}
	return ""
}

// String is the word.
func (s Stopping) String() string { return string(s) }

// Set reads the word, as flags want it. The error of an unknown one is Choices.
func (s *Stopping) Set(word string) error {
	if !slices.Contains(Stoppings, Stopping(word)) {
		return errors.New(s.Choices())
	}
	*s = Stopping(word)
	return nil
}

// Choices tells all values, and what each does.
func (s *Stopping) Choices() string {
	var words []string
	for _, known := range Stoppings {
		words = append(words, fmt.Sprintf("%s (%s)", known, known.Means()))
	}
	return "choose one of " + strings.Join(words, ", ")
}

// Type is what a flag takes.
func (s *Stopping) Type() string { return "string" }

// StandingStill is a Target whose owner is held still from Open to Close: see StopWhole.
type StandingStill interface {
	// StoodStill is for how long, so far. The error, a *StopError, says that the owner was let go after WholeLimit: what was
	// read since then is of later moments.
	StoodStill() (time.Duration, error)
}

// UnwantedStopError says that a process was not stopped because Options asked for that.
type UnwantedStopError struct{ PID int }

// Error says what was asked for.
func (e *UnwantedStopError) Error() string {
	return fmt.Sprintf("process %d was not to be stopped", e.PID)
}

// StopRefused reports whether the error of Stopper.Stop means that the process can't be stopped, by whoever's will: then what
// can be answered without is answered.
func StopRefused(err error) bool {
	return errors.As(err, new(*PermissionError)) || errors.As(err, new(*UnwantedStopError))
}

var errStoodTooLong = fmt.Errorf("it stood still for %v, which is the limit, and goes on", WholeLimit)
