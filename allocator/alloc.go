package allocator

import (
	"fmt"
	"unsafe"

	"github.com/glassheap/glassheap/allocator/layout"
)

// Alloc returns n bytes of off-heap memory, aligned to 8 bytes (GeometryAligned: to 16), as a slice whose length and capacity are n. The contents are
// not defined. Alloc(0) returns an empty slice that is no block and need not be freed. The error is a *SizeError when n is
// negative or can never fit, or says that the reserve or the system's memory is exhausted.
func (h *Heap) Alloc(n int) (b []byte, err error) {
	if n == 0 {
		return []byte{}, nil
	}
	p, n, err := h.malloc(n)
	return unsafe.Slice((*byte)(p), n), err
}

// AllocZeroed is Alloc with all bytes zero.
func (h *Heap) AllocZeroed(n int) ([]byte, error) {
	b, err := h.Alloc(n)
	clear(b)
	return b, err
}

// Malloc is Alloc for an address instead of a slice. Malloc(0) is a block of its own, of which nothing may be written.
func (h *Heap) Malloc(n int) (p unsafe.Pointer, err error) {
	p, _, err = h.malloc(n)
	return
}

// malloc is what Alloc and Malloc are made of. These are small enough to be inlined (named results and all), because it returns
// the length that a slice has: n, or 0 with an error.
func (h *Heap) malloc(n int) (unsafe.Pointer, int, error) {
	for uint(n) < uint(h.quickBelow.Load()) {
		p := pin()
		bin := h.binOf(n)
		if p < int(h.cachesReady.Load()) {
			c, m := &h.class[bin], h.magazine(p, bin)
			tally := m.Tally
			if top := uint(tally.Count() - 1); top < layout.MagazineBlocks {
				if h.samples(tally, c) {
					block, err := h.mallocSampled(n, p) // unpins
					return block, granted(n, err), err
				}
				address := m.Blocks[top]
				block := h.pointer(address)
				if !h.sealed {
					m.Tally = tally + layout.TallyAlloc
					unpin(p)
					return block, n, nil
				}
				hash := layout.SealHash(address, h.secret)
				seal := sealAt(block, c.size)
				if *seal == hash|uint64(layout.StateFree) {
					writeSlack(block, uint32(n), c.size)
					// First the seal, then the count: a reader finds the block at the magazine's top, in somebody's hands.
					*seal = (hash | uint64(layout.StateLive)) ^ uint64(n)*layout.SealSizeMultiplier
					m.Tally = tally + layout.TallyAlloc
					unpin(p)
					return block, n, nil
				}
			}
		}
		if err := h.readyBlock(n, p); err != nil { // unpins
			return nil, 0, err
		}
	}
	block, err := h.mallocAudited(n, true)
	return block, granted(n, err), err
}

// granted is how many of n bytes there are.
func granted(n int, err error) int {
	if err != nil {
		return 0
	}
	return n
}

// readyBlock sees to it that malloc of n bytes can go on: it withdraws the block at the magazine's top, if there is one,
// because it is damaged, and fills an empty magazine. The caller is pinned on p; it is not afterwards.
//
//go:noinline
func (h *Heap) readyBlock(n, p int) error {
	c := &h.class[h.binOf(n)]
	if p < int(h.cachesReady.Load()) {
		if m := h.magazine(p, c.bin); m.Tally.Count() > 0 {
			h.withdrawTop(p, m, c) // unpins
			return nil
		}
	}
	unpin(p)
	if err := h.endQuarantine(); err != nil {
		return err
	}
	if err := h.refill(int(c.bin)); err != nil {
		return fmt.Errorf("glassheap: no block for %d bytes in heap %q: %w", n, h.options.Name, err)
	}
	return nil
}

// Calloc is Malloc for count elements of size bytes each, zeroed. A product that overflows is a *SizeError.
func (h *Heap) Calloc(count, size int) (unsafe.Pointer, error) {
	n, err := product(count, size)
	if err != nil {
		return nil, err
	}
	p, err := h.Malloc(n)
	if err == nil {
		clear(unsafe.Slice((*byte)(p), n))
	}
	return p, err
}

func product(count, size int) (int, error) {
	if count < 0 || size < 0 {
		return 0, &SizeError{Size: min(count, size), Limit: mostReserveBytes, Reason: "a count or a size is negative"}
	}
	if size != 0 && count > mostReserveBytes/size {
		return 0, &SizeError{Size: size, Count: count, Limit: mostReserveBytes, Reason: "the product is larger than any heap"}
	}
	return count * size, nil
}

// SizeError says that a request can never be granted, however much memory is free.
type SizeError struct {
	Size   int    // bytes that were asked for
	Count  int    // for Calloc and Make: how many of them
	Limit  int64  // bytes that could be granted at most
	Reason string // what is wrong with the request
}

// Error names the request and the limit.
func (e *SizeError) Error() string {
	request := fmt.Sprint(e.Size)
	if e.Count != 0 {
		request = fmt.Sprintf("%d × %d", e.Count, e.Size)
	}
	return fmt.Sprintf("glassheap: cannot allocate %s bytes: %s (limit %d bytes)", request, e.Reason, e.Limit)
}
