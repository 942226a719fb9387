package inspect

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/glassheap/glassheap/inspect/symbols"
	"github.com/glassheap/glassheap/inspect/target"
)

// Program is the executable of a heap's owner: it names the functions of recorded stacks. It may be used by several goroutines,
// and by several heaps.
type Program struct {
	open   func() (*symbols.Table, error)
	advice string // what to give when the functions can't be named
	note   string // what the user should know of the executable; empty: nothing
}

// ProgramOf is the executable of a heap's owner. A running process tells it by itself, and so does a core where the
// executable is still where it was; for everything else exe is the path of the file, empty when none is given. A file that is not the program that ran is refused: wrong names are worse than none. That
// no file is given is no error: stacks have addresses only then, and reports say so.
func ProgramOf(t target.Target, exe string) (*Program, error) {
	if exe == "" {
		return &Program{open: sync.OnceValues(func() (*symbols.Table, error) { return openOwner(t) }), advice: adviceFor(t)}, nil
	}
	origin, err := target.OriginOf(t)
	p := &Program{}
	var table *symbols.Table
	switch {
	case errors.Is(err, target.ErrNoOrigin):
		table, err = symbols.OpenUnmatched(exe)
		p.note = fmt.Sprintf("nothing tells whether %s is the program that ran: if it is not, the functions are wrong", exe)
	case err == nil:
		table, err = symbols.OpenOrigin(exe, origin)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", exe, err)
	}
	p.open = func() (*symbols.Table, error) { return table, nil }
	return p, nil
}

func openOwner(t target.Target) (*symbols.Table, error) {
	if pid := target.OwnerOf(t); pid != 0 {
		return symbols.OpenProcess(pid)
	}
	if path := target.ExecutableOf(t); path != "" {
		origin, err := target.OriginOf(t)
		if err != nil {
			return nil, err
		}
		return symbols.OpenOrigin(path, origin)
	}
	return nil, errNoExecutable
}

var errNoExecutable = errors.New("nobody said which executable the program ran")

func adviceFor(t target.Target) string {
	if o, err := target.OriginOf(t); err == nil && o.BuildID != "" && target.OwnerOf(t) == 0 {
		return "give the executable: --exe FILE (its build ID is " + printableID(o.BuildID) + ")"
	}
	return "give the executable: --exe FILE"
}

// printableID is a build ID without what a file that lies could have put there.
func printableID(id string) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return '.'
		}
		return r
	}, id[:min(len(id), 120)])
}

// table is the executable's functions; nil: they can't be had, and why.
func (p *Program) table() (*symbols.Table, error) {
	if p == nil {
		return nil, errNoExecutable
	}
	return p.open()
}

// notes are what a report has to say of its frames, if it shows any stack.
func (p *Program) notes() []string {
	switch _, err := p.table(); {
	case p == nil:
		return nil
	case errors.Is(err, errNoExecutable):
		return []string{"stacks are shown as addresses: " + p.advice}
	case err != nil:
		return []string{fmt.Sprintf("stacks are shown as addresses: %v; %s", err, p.advice)}
	case p.note != "":
		return []string{p.note}
	}
	return nil
}

// advised is what to give when functions can't be named.
func (p *Program) advised() string {
	if p == nil || p.advice == "" {
		return "give the executable: --exe FILE"
	}
	return p.advice
}

// Close closes the executable, if it was opened.
func (p *Program) Close() error {
	if t, err := p.table(); err == nil {
		return t.Close()
	}
	return nil
}

// SetProgram says which executable names the functions of recorded stacks. It is called before the first question; without it
// stacks are addresses.
func (h *Heap) SetProgram(p *Program) { h.program = p }

// Notes are what the user should know of the stacks in this heap's answers: nothing when they have names, or when there are none.
func (h *Heap) Notes() []string {
	if h.stacks == nil || len(h.stacks.stacks) == 0 {
		return nil
	}
	return h.program.notes()
}
