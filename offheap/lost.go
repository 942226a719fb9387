package offheap

import (
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/allocator/report"
)

// Lost is something that was not freed before the collector found that nothing refers to it any more: a leak.
type Lost struct {
	What  string               // "Vec[main.Point]", "Scope", "Buffer", "Handle"
	Bytes int                  // of the heap that it held
	Made  *allocator.Operation // who made it: goroutine and stack
}

// String tells it in a line, and below it who made it.
func (l Lost) String() string {
	var text strings.Builder
	fmt.Fprintf(&text, "offheap: a %s of %d bytes was never freed, and nothing refers to it any more; made by goroutine %d", l.What, l.Bytes, l.Made.Goroutine)
	for _, f := range l.Made.Frames() {
		fmt.Fprintf(&text, "\n   %s   %s", report.ShortFunction(f.Function), f.Place())
	}
	return text.String()
}

// Option is an option of NewVec and NewBuffer, and of NewScope too.
type Option interface {
	ScopeOption
	lost() ReportLost
}

// ReportLost is the option to be told of what was never freed. It is called, once, some time after the collector found that nothing
// refers to the Vec, Scope, Buffer or Handle any more, on a goroutine of the runtime: it must be short, and a panic ends the program.
// What lives when the program ends is not reported.
//
// The memory is not freed then: slices into it may still be in use, since these do not keep their owner reachable. The function must
// not refer to what it reports about, or that stays reachable for ever. It costs 1 µs for what is made, and nothing in use.
type ReportLost func(Lost)

func (r ReportLost) lost() ReportLost { return r }

func (r ReportLost) applyTo(s *Scope) { s.report = r }

// reportOf is the function that the options name last; nil: none.
func reportOf(options []Option) (report ReportLost) {
	for _, o := range options {
		report = o.lost()
	}
	return report
}

// claim is what is known of something that has to be freed, apart from it, so that it can be told when that is gone. A nil claim is
// of something that nobody wants to be told of.
type claim struct {
	what    string
	bytes   atomic.Int64
	owner   *allocator.Owner
	report  ReportLost
	cleanup runtime.Cleanup
}

// stake makes the claim of an object. owner is who makes it; nil: the caller of this package.
func stake[T any](object *T, what string, bytes int, owner *allocator.Owner, report ReportLost) *claim {
	if report == nil {
		return nil
	}
	if owner == nil {
		owner = allocator.NewOwner()
	}
	c := &claim{what: what, owner: owner, report: report}
	c.bytes.Store(int64(bytes))
	c.cleanup = runtime.AddCleanup(object, (*claim).lose, c)
	return c
}

// holds says how many bytes the object has now.
func (c *claim) holds(bytes int) {
	if c != nil {
		c.bytes.Store(int64(bytes))
	}
}

// end is called when the object is freed. The object must be reachable until end has returned.
func (c *claim) end() {
	if c != nil {
		c.cleanup.Stop()
	}
}

func (c *claim) lose() { c.report(Lost{c.what, int(c.bytes.Load()), c.owner.Operation()}) }
