package recorder

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/symbols"
	"github.com/glassheap/glassheap/inspect/target"
)

// examine examines what the program left behind. nil: it ended well, and there is nothing to say.
func (c *child) examine(e ending, crash string) *inspect.PostMortem {
	parsed := inspect.ParseCrash(crash)
	p := &inspect.PostMortem{
		Version: inspect.PostMortemVersion, PID: c.PID, Program: c.Program, Started: c.started.UTC(), Died: time.Now().UTC(),
		Cause: causeOf(e, crash, parsed), Heaps: []inspect.HeapOfPostMortem{}, Stack: parsed.Stack, Crash: crash,
	}
	if crash == "" && e.known && e.status.Exited() && e.status.ExitStatus() == 0 {
		return nil
	}
	died := crash != "" || e.known && e.status.Signaled() && !asked(e.status.Signal())
	if e.known && e.status.Signaled() && e.status.Signal() == unix.SIGKILL {
		p.Cause.Memory = c.ooms.since(countOOMs())
	}
	if len(crash) >= mostCrashBytes {
		p.Notes = append(p.Notes, fmt.Sprintf("the crash text is longer than %d MiB and was cut", mostCrashBytes>>20))
	}
	c.soFar(p, "the heaps could not be checked: the recorder was killed too, for want of memory")
	// So little memory was for waiting. Checking takes as much as the heaps' metadata are large.
	debug.SetMemoryLimit(math.MaxInt64)
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(c.TimeLimit))
	defer cancel()
	var targets []target.Target
	for _, h := range c.heaps {
		t, r := c.check(ctx, h)
		if r.Check != nil {
			p.Findings += len(r.Check.Findings)
		}
		targets, p.Heaps = append(targets, t), append(p.Heaps, r)
	}
	if !died && p.Findings == 0 {
		return nil
	}
	c.explain(ctx, p, parsed.Addresses, targets)
	c.soFar(p, "there is no snapshot: the recorder was killed too, for want of memory")
	c.snapshots(ctx, p, targets)
	return p
}

// soFar writes what is known until now, where memory is so short that this process may not live to know more: it holds the
// memory of the heaps. note says what is missing then.
func (c *child) soFar(p *inspect.PostMortem, note string) {
	if p.Cause.Memory == "" {
		return
	}
	known := *p
	known.Notes = append(slices.Clone(p.Notes), note)
	if len(p.Heaps) == 0 {
		for _, h := range c.heaps {
			known.Heaps = append(known.Heaps, inspect.HeapOfPostMortem{Name: h.name, Base: inspect.Address(h.base), Problem: "there was no memory for it"})
		}
	}
	_ = c.write(&known) // what prevents it is told in the end
}

// asked reports whether a signal is one by which a program is asked to end.
func asked(s unix.Signal) bool {
	return s == unix.SIGINT || s == unix.SIGTERM || s == unix.SIGHUP || s == unix.SIGPIPE
}

// causeOf says what the program died of.
func causeOf(e ending, crash string, parsed inspect.Crash) inspect.Cause {
	cause := inspect.Cause{Kind: inspect.CauseUnknown, Summary: "a cause that the system does not tell"}
	switch {
	case e.known && e.status.Exited():
		status := e.status.ExitStatus()
		cause = inspect.Cause{Kind: inspect.CauseExit, Status: &status, Summary: fmt.Sprintf("exit status %d", status)}
	case e.known && e.status.Signaled():
		name := unix.SignalName(e.status.Signal())
		cause = inspect.Cause{Kind: inspect.CauseSignal, Signal: name, Summary: name}
	}
	if crash != "" {
		cause.Kind, cause.Summary = parsed.Kind, parsed.Summary
	}
	return cause
}

// check checks one heap.
func (c *child) check(ctx context.Context, h keptHeap) (t target.Target, r inspect.HeapOfPostMortem) {
	r = inspect.HeapOfPostMortem{Name: h.name, Base: inspect.Address(h.base)}
	defer func() {
		if failure := recover(); failure != nil {
			r.Problem = fmt.Sprintf("the check failed: %v", failure)
		}
	}()
	if h.file == nil {
		r.Problem = "it was in anonymous memory, which is gone with the program"
		return nil, r
	}
	// The program's executable is this process's own.
	t = target.OfEnded(h.file, h.base, c.PID, c.Program, h.name, "/proc/self/exe", symbols.Origin{BuildID: c.BuildID, Entry: c.Entry})
	if c.functions == nil {
		c.functions, _ = inspect.ProgramOf(t, "") // without it, stacks are addresses
	}
	checked, err := inspect.Check(ctx, t, inspect.CheckOptions{Program: c.functions})
	if err != nil {
		r.Problem = err.Error()
		return t, r
	}
	r.Check = checked
	return t, r
}

// explain says of each address that the crash was about what it is.
func (c *child) explain(ctx context.Context, p *inspect.PostMortem, addresses []inspect.Address, targets []target.Target) {
	for _, address := range addresses {
		a := inspect.AddressOfCrash{Address: address, Sentence: "in none of the program's heaps"}
		if uint64(address) < mostNilOffset {
			a.Sentence = "a nil pointer, or a field of what a nil pointer points to: in none of the program's heaps"
		}
		for i, t := range targets {
			if t == nil {
				continue
			}
			h, err := inspect.Open(ctx, t)
			if err != nil {
				continue
			}
			h.SetProgram(c.functions)
			if r, err := h.Whatis(uint64(address)); err == nil && r.Kind != "outside" {
				a.Heap, a.Sentence, a.Whatis = p.Heaps[i].Name, r.Sentence, r
				if r.Block != nil && r.Block.Place == inspect.PlaceWithdrawn {
					p.Notes = append(p.Notes, "the heap had found the damage itself, and taken the block out of use: so the check finds nothing wrong with it any more")
				}
				break
			}
		}
		p.Addresses = append(p.Addresses, a)
	}
}

// mostNilOffset is what a pointer near nil lies below: nothing is ever mapped there.
const mostNilOffset = 64 << 10

// snapshots keeps the heaps, as long as they fit into what the orders allow.
func (c *child) snapshots(ctx context.Context, p *inspect.PostMortem, targets []target.Target) {
	left := c.SnapshotBytes
	for i, t := range targets {
		h := &p.Heaps[i]
		switch {
		case t == nil:
			continue
		case left < 0:
			h.NotSnapshot = "Options.SnapshotBytes says so"
			continue
		}
		if err := c.makeDirectory(); err != nil {
			h.NotSnapshot = err.Error()
			continue
		}
		name := fileName(p) + ".snapshot"
		if i > 0 {
			name = fmt.Sprintf("%s-%d.snapshot", fileName(p), i+1)
		}
		r, err := inspect.SnapshotEnded(ctx, t, filepath.Join(c.Directory, name), left)
		if err != nil {
			h.NotSnapshot = err.Error()
			continue
		}
		h.Snapshot = name
		left -= r.Bytes
	}
	for i := range p.Addresses {
		for _, h := range p.Heaps {
			if a := &p.Addresses[i]; a.Heap == h.Name && a.Whatis != nil && uint64(a.Whatis.Heap.Base) == uint64(h.Base) {
				a.Snapshot = h.Snapshot
			}
		}
	}
}

func fileName(p *inspect.PostMortem) string { return inspect.PostMortemName(p.PID, p.Died) }

// makeDirectory makes the directory, which is the user's alone. A default one that somebody else has put there is refused.
func (c *child) makeDirectory() error {
	if err := os.MkdirAll(c.Directory, 0o700); err != nil {
		return err
	}
	if !c.Own {
		return nil
	}
	var info unix.Stat_t
	if err := unix.Lstat(c.Directory, &info); err != nil {
		return err
	}
	if info.Mode&unix.S_IFMT != unix.S_IFDIR || int(info.Uid) != os.Geteuid() || info.Mode&0o022 != 0 {
		return fmt.Errorf("%s is not a directory of this user alone", c.Directory)
	}
	return nil
}
