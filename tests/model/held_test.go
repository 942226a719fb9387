package model

import (
	"slices"

	"github.com/glassheap/glassheap/allocator/layout"
)

// held is what audit mode holds back on one P, as the model knows it: freed blocks and freed spans, the oldest first.
type held struct {
	limit  uint64 // bytes of blocks, and as many of spans
	blocks []*block
	bytes  uint64 // in blocks
	spans  []*block
	pages  uint64 // in spans, their guards included
	unsure bool   // it is not known how many pages some span had: one that is guarded has no seal, and may have one less
	seal   uint64 // that a span pays for
	frees  uint64 // so far
	rate   int    // one of this many spans is guarded
}

// add takes in a block that was freed, and lets out the oldest that there is no room for.
func (q *held) add(b *block) {
	q.frees++
	b.freed = q.frees
	if b.span {
		q.addSpan(b)
		return
	}
	for len(q.blocks) > 0 && (len(q.blocks) == layout.QuarantineBlocks || q.bytes+b.stride > q.limit) {
		q.bytes -= q.blocks[0].stride
		q.blocks = q.blocks[1:]
	}
	q.blocks = append(q.blocks, b)
	q.bytes += b.stride
}

func (q *held) addSpan(b *block) {
	pages := q.pagesOf(b)
	q.unsure = q.unsure || q.rate > 1 && pages != 1+pagesFor(b.size, 0)
	if pages > layout.PagesPerArena {
		return // whole arenas are given back
	}
	q.spans = append(q.spans, b)
	q.pages += pages
	for len(q.spans) > 0 && q.pages*layout.PageBytes > q.limit {
		q.pages -= q.pagesOf(q.spans[0])
		q.spans = q.spans[1:]
	}
}

// pagesOf is how many pages a span has, with its guard.
func (q *held) pagesOf(b *block) uint64 {
	if q.rate == 1 { // each is guarded
		return 1 + pagesFor(b.size, 0)
	}
	return 1 + pagesFor(b.size, q.seal)
}

func pagesFor(size int, seal uint64) uint64 {
	return max(1, (uint64(size)+seal+layout.PageBytes-1)/layout.PageBytes)
}

// keepNewest forgets all but the n that came last: a heap that has used up its reserve lets go of what it holds back.
func (q *held) keepNewest(n int) {
	if n >= q.count() {
		return
	}
	for q.count() > n {
		if len(q.spans) == 0 || len(q.blocks) > 0 && q.blocks[0].freed < q.spans[0].freed {
			q.bytes -= q.blocks[0].stride
			q.blocks = q.blocks[1:]
		} else {
			q.pages -= q.pagesOf(q.spans[0])
			q.spans = q.spans[1:]
		}
	}
}

// has reports whether a block of the same address is held back.
func (q *held) has(b *block) bool {
	if b.span && q.unsure {
		return false
	}
	same := func(other *block) bool { return other.start == b.start }
	return slices.ContainsFunc(q.blocks, same) || slices.ContainsFunc(q.spans, same)
}

// count is how many there are.
func (q *held) count() int { return len(q.blocks) + len(q.spans) }
