package glassheaparrow

import (
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/allocator/layout"
)

// TestingT is what Checked needs of a test; a *testing.T is one, and whatever is a memory.TestingT of Arrow.
type TestingT interface {
	Errorf(format string, args ...any)
	Helper()
}

// checkedReserve is how many bytes a Checked may hold: many tests may have one at a time.
const checkedReserve = 16 << 30

// Checked takes the place of Arrow's memory.CheckedAllocator in tests. It has a heap of its own in audit mode: AssertSize fails
// with what is live and the stacks that allocated it, and with every violation. A violation does not end the test where it is
// found. All methods are safe for concurrent use; AssertSize waits for calls that are under way.
type Checked struct {
	// use is held for reading while the heap is in use, for writing while it is looked at and closed.
	use   sync.RWMutex
	mem   Allocator
	bytes atomic.Int64
	live  sync.Map // address of each block that was not given back, a uintptr → its bytes, an int

	telling sync.Mutex
	untold  []*allocator.Violation // found since the last AssertSize
}

// NewChecked makes a Checked. It takes nothing until its first block, and an AssertSize that finds no live block closes its heap
// again. GLASSHEAP overrides the heap's options (allocator.Environment), so it may be out of audit mode, without stacks to tell.
func NewChecked() *Checked { return new(Checked) }

// ready sees to it that there is a heap.
func (c *Checked) ready() {
	if c.mem.heap.Load() != nil {
		return
	}
	c.mem.opening.Lock()
	defer c.mem.opening.Unlock()
	if c.mem.heap.Load() != nil {
		return
	}
	h, err := allocator.New(allocator.Options{
		Name: heapName(), Mode: allocator.ModeAudit, StackDepth: layout.MaxStackDepth, ReserveBytes: checkedReserve, OnViolation: c.found,
	})
	if err != nil {
		panic(err)
	}
	c.mem.owned = true
	c.mem.heap.Store(h)
}

// found keeps a violation for the next AssertSize.
func (c *Checked) found(v *allocator.Violation) {
	c.telling.Lock()
	defer c.telling.Unlock()
	c.untold = append(c.untold, v)
}

// Allocate is Allocator.Allocate.
func (c *Checked) Allocate(size int) []byte {
	c.use.RLock()
	defer c.use.RUnlock()
	c.ready()
	b := c.mem.Allocate(size)
	c.handedOut(b)
	return b
}

// Reallocate is Allocator.Reallocate.
func (c *Checked) Reallocate(size int, b []byte) []byte {
	c.use.RLock()
	defer c.use.RUnlock()
	c.ready()
	c.givenBack(b)
	moved := c.mem.Reallocate(size, b)
	c.handedOut(moved)
	return moved
}

// Free is Allocator.Free. Whoever frees a damaged block has given it back: it counts no more.
func (c *Checked) Free(b []byte) {
	c.use.RLock()
	defer c.use.RUnlock()
	c.ready()
	c.givenBack(b)
	c.mem.Free(b)
}

func (c *Checked) handedOut(b []byte) {
	if len(b) > 0 {
		c.live.Store(addressOf(b), len(b))
		c.bytes.Add(int64(len(b)))
	}
}

func (c *Checked) givenBack(b []byte) {
	if cap(b) == 0 {
		return
	}
	if size, was := c.live.LoadAndDelete(addressOf(b)); was {
		c.bytes.Add(-int64(size.(int)))
	}
}

func addressOf(b []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(b))) }

// CurrentAlloc is how many bytes were allocated and not given back.
func (c *Checked) CurrentAlloc() int { return int(c.bytes.Load()) }

// AssertSize fails the test unless size bytes are allocated and not given back, telling where those that are come from, and it
// fails the test with each violation since the last time. It looks for bytes written past or before the blocks that are live,
// and, once none is, for bytes written to blocks after they were freed; then it closes the heap, so no buffer may be used any
// more. Unlike Arrow's it does not fail for what is live when that is as many bytes as were expected.
func (c *Checked) AssertSize(t TestingT, size int) {
	t.Helper()
	c.use.Lock()
	defer c.use.Unlock()
	h := c.mem.heap.Load()
	if h != nil {
		c.live.Range(func(block, _ any) bool {
			_, _ = h.UsableSize(unsafe.Add(nil, block.(uintptr))) // found gets the error
			return true
		})
	}
	if current := c.CurrentAlloc(); current != size {
		t.Errorf("invalid memory size exp=%d, got=%d%s", size, current, leaksOf(h))
	}
	if h != nil && h.Stats().LiveBlocks == 0 {
		if err := c.mem.Close(); err != nil {
			t.Errorf("%v", err)
		}
	}
	c.telling.Lock()
	defer c.telling.Unlock()
	for _, v := range c.untold {
		t.Errorf("%v", v)
	}
	c.untold = nil
}
