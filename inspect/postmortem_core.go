package inspect

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/glassheap/glassheap/inspect/target"
)

// PostMortemOfCore makes a post-mortem of a core: what signal the program died of, and the check of each of its heaps. What the
// runtime wrote to standard error is not in a core. Errors say that the file is no core.
func PostMortemOfCore(ctx context.Context, path string, o target.Options) (*PostMortem, error) {
	heaps, death, closeCore, err := target.OpenCoreHeaps(ctx, path, o)
	if err != nil {
		return nil, err
	}
	defer func() { _ = closeCore() }()
	p := &PostMortem{Version: PostMortemVersion, PID: death.PID, Program: death.Program, Core: path, Cause: causeInCore(death), Heaps: []HeapOfPostMortem{}}
	if info, err := os.Stat(path); err == nil {
		p.Died = info.ModTime().UTC()
	}
	if death.Cut != "" {
		p.Notes = append(p.Notes, "the core is not whole: "+death.Cut)
	}
	fault := AddressOfCrash{Address: Address(death.Fault), Sentence: "in none of the program's heaps"}
	for _, h := range heaps {
		r := HeapOfPostMortem{Name: h.Name, Base: Address(h.Base), Snapshot: filepath.Base(path)}
		if h.Problem == nil {
			r.Check, h.Problem = checkInCore(ctx, h.Target, death.Fault, &fault)
		}
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case h.Problem != nil:
			r.Problem = h.Problem.Error()
		default:
			p.Findings += len(r.Check.Findings)
		}
		p.Heaps = append(p.Heaps, r)
	}
	if death.Fault != 0 {
		p.Addresses = append(p.Addresses, fault)
	}
	return p, nil
}

// checkInCore checks a heap, and says what the address of the fault is if it lies there.
func checkInCore(ctx context.Context, t target.Target, address uint64, fault *AddressOfCrash) (*CheckReport, error) {
	program, err := ProgramOf(t, "")
	if err != nil {
		return nil, err
	}
	r, err := Check(ctx, t, CheckOptions{Program: program})
	if err != nil || address == 0 {
		return r, err
	}
	h, err := Open(ctx, t)
	if err != nil {
		return r, err
	}
	h.SetProgram(program)
	if w, err := h.Whatis(address); err == nil && w.Kind != "outside" {
		fault.Heap, fault.Sentence, fault.Whatis, fault.Snapshot = r.Heap.Name, w.Sentence, w, filepath.Base(t.Description().Path)
	}
	return r, nil
}

// signalNames are the signals that make the kernel write a core, by their numbers on Linux (signal(7)): the core may be read
// elsewhere.
var signalNames = map[int]string{3: "SIGQUIT", 4: "SIGILL", 5: "SIGTRAP", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE", 11: "SIGSEGV", 24: "SIGXCPU", 25: "SIGXFSZ", 31: "SIGSYS"}

func causeInCore(d target.CoreDeath) Cause {
	name := signalNames[d.Signal]
	switch {
	case d.Fault != 0:
		return Cause{Kind: CauseFault, Signal: name, Summary: fmt.Sprintf("a fault at address %s (%s)", Address(d.Fault), name)}
	case name == "SIGABRT":
		return Cause{Kind: CauseSignal, Signal: name, Summary: name + ", by which Go's runtime ends a program: what it died of is on its standard error"}
	case name != "":
		return Cause{Kind: CauseSignal, Signal: name, Summary: name}
	}
	return Cause{Kind: CauseUnknown, Summary: "no signal: the core was made of a program that lived"}
}
