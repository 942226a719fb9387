// Package glassheaptest makes heaps for tests: a test fails on every violation, on whatever check finds at its end, and on every block
// that it did not free, with the stacks of who allocated and who freed.
//
//	func TestCache(t *testing.T) {
//		cache := NewCache(glassheaptest.New(t))
//		…
//	}
package glassheaptest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/render"
	"github.com/glassheap/glassheap/inspect/target"
)

// reserve is how much a test's heap may grow to, unless it says otherwise: many tests may run at a time.
const reserve = 1 << 30

// New makes a heap in audit mode that is the test's alone and is closed when the test and its subtests have ended. It may be called by
// parallel tests, and several times by one.
func New(t testing.TB) *allocator.Heap {
	t.Helper()
	return NewWith(t, allocator.Options{})
}

// NewWith is New with options. The mode is audit whatever they say: without it there are no stacks to tell. By default the heap has the
// test's name and may grow to 1 GiB. A violation is an error of the test, and then Options.OnViolation's, if there is one.
func NewWith(t testing.TB, o allocator.Options) *allocator.Heap {
	t.Helper()
	o.Mode = allocator.ModeAudit
	if o.ReserveBytes == 0 {
		o.ReserveBytes = reserve
	}
	if o.Name == "" {
		o.Name = t.Name()
	}
	o.Name = distinct(o.Name)
	told := o.OnViolation
	o.OnViolation = func(v *allocator.Violation) {
		t.Helper()
		t.Errorf("%v", v)
		if told != nil {
			told(v)
		}
	}
	h, err := allocator.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		t.Helper()
		if err := check(t, o.Name); err != nil {
			t.Errorf("the heap could not be checked: %v", err)
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

var made atomic.Int64

// distinct makes a name that no other heap of this process has, and that fits into a heap's header.
func distinct(name string) string {
	const most = 31
	number := fmt.Sprintf(" %d", made.Add(1))
	return strings.ToValidUTF8(name[:min(len(name), most-len(number))], "") + number
}

// check tells the test what is wrong with a heap. Where a process can't look at its own heaps, it is what Close says that counts.
func check(t testing.TB, heap string) error {
	t.Helper()
	self, err := target.Self(target.Options{Heap: heap})
	if errors.As(err, new(*target.PlatformError)) {
		return nil
	}
	if err != nil {
		return err
	}
	defer self.Close()
	program, err := inspect.ProgramOf(self, "")
	if err != nil {
		return err
	}
	r, err := inspect.Check(context.Background(), self, inspect.CheckOptions{Program: program})
	if err != nil || r.Healthy() {
		return err
	}
	var text strings.Builder
	if err := render.Check(&text, r, render.Style{}); err != nil {
		return err
	}
	t.Errorf("%s", text.String())
	return nil
}
