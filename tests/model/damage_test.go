package model

import (
	"fmt"
	"unsafe"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/allocator/layout"
)

// What a block's owner does to others, or to what is no longer his. With several goroutines there is no telling whom it
// hits, so these are for one alone.

// freeTwice frees a block, and then uses or frees it again.
func (p *player) freeTwice() error {
	b := p.pickOne()
	if b == nil || !p.alone {
		return nil
	}
	if !p.sealed && !b.span && !p.isGuarded(b) {
		return nil // a plain heap can't tell a block in a magazine from a live one
	}
	if err := p.release(b); err != nil {
		return err
	}
	freed, used := []allocator.Kind{allocator.DoubleFree}, []allocator.Kind{allocator.UseAfterFree}
	if b.span && !p.held.has(b) { // its pages may be gone
		freed, used = append(freed, allocator.InvalidFree), append(used, allocator.InvalidFree)
	}
	switch p.below(3, "what to do with it") {
	case 0:
		return p.violation(p.heap.FreePointer(b.start), "free", b.start, freed...)
	case 1:
		_, err := p.heap.UsableSize(b.start)
		return p.violation(err, "usable size", b.start, used...)
	default:
		_, err := p.heap.ReallocPointer(b.start, p.size(p.choices))
		return p.violation(err, "realloc", b.start, used...)
	}
}

// overflow writes a byte behind a block: into the slack or the seal.
func (p *player) overflow() error {
	b := p.pickOne()
	if b == nil || !p.alone || !p.sealed && !p.isGuarded(b) {
		return nil
	}
	offset := b.size + p.below(8, "bytes behind")
	if page := (b.address() + uint64(max(1, b.size)) - 1) / layout.PageBytes; p.mayBeGuarded(b) && ((b.address()+uint64(offset))/layout.PageBytes != page || b.size == 0) {
		return nil // a guard page: it would fault
	}
	behind := (*byte)(unsafe.Add(b.start, offset))
	flip := byte(1) << p.below(8, "bit")
	*behind ^= flip
	if p.below(2, "used before") == 0 {
		_, err := p.heap.ReallocPointer(b.start, p.size(p.choices))
		if err := p.violation(err, "realloc", b.start, allocator.Overflow); err != nil {
			return err
		}
	}
	if err := p.violation(p.heap.FreePointer(b.start), "free", b.start, allocator.Overflow); err != nil {
		return err
	}
	if b.span { // it is still there, and may be freed when it is whole
		*behind ^= flip
		return nil
	}
	if p.isGuarded(b) { // its page is gone, and with it the damage
		p.part(b)
		p.index.remove(b)
		p.count(b, -1)
		return p.violation(p.heap.FreePointer(b.start), "free", b.start, allocator.DoubleFree)
	}
	if err := b.verify(b.size); err != nil {
		return err
	}
	// It is out of use for ever, and counts as freed.
	p.part(b)
	p.index.remove(b)
	p.count(b, -1)
	p.withdrawn.Add(1)
	return p.violation(p.heap.FreePointer(b.start), "free", b.start, allocator.InvalidFree)
}

// writeAfterFree breaks the seal of a block that it freed. Who is given the block next must be given another one.
func (p *player) writeAfterFree() error {
	b := p.pickOne()
	if b == nil || !p.alone || !p.sealed || b.span || b.aligned || p.isGuarded(b) {
		return nil
	}
	if err := p.release(b); err != nil {
		return err
	}
	if p.audit {
		poison := (*byte)(unsafe.Add(b.start, p.below(int(p.class(b.size).Size), "byte of the poison")))
		flip := byte(1) << p.below(8, "bit")
		*poison ^= flip
		return p.letOut(b, func() { *poison ^= flip })
	}
	seal := (*byte)(unsafe.Add(b.start, int(p.class(b.size).Size)+p.below(8, "byte of the seal")))
	flip := byte(1) << p.below(8, "bit")
	*seal ^= flip
	if err := p.allocPointer(b.size, "Malloc", p.heap.Malloc); err != nil {
		return err
	}
	// The error went to the heap's owner, not to who allocates.
	switch found := p.violations.take(); {
	case len(found) == p.expected: // without pinning, another cache may have served
		for _, v := range found {
			p.violations.add(v)
		}
		*seal ^= flip
	case len(found) == p.expected+1 && found[p.expected].Kind == allocator.WriteAfterFree && found[p.expected].Block == b.address():
		p.expected = 0
		p.withdrawn.Add(1)
	default:
		return fmt.Errorf("a write after free of %s was expected, not %v", b, found)
	}
	return nil
}

// letOut goes on until the quarantine lets out a block that somebody wrote to, which must be told then. It mends the block when
// that would take too long.
func (p *player) letOut(b *block, mend func()) error {
	const most = 300
	for range most {
		if !p.held.has(b) {
			break
		}
		before := len(p.blocks)
		err := p.allocPointer(b.size, "Malloc", p.heap.Malloc)
		if err != nil || len(p.blocks) == before { // the reserve is exhausted
			mend()
			return err
		}
		if err := p.release(p.blocks[len(p.blocks)-1]); err != nil {
			return err
		}
	}
	if p.held.has(b) {
		mend()
		return nil
	}
	found := p.violations.take()
	if len(found) != p.expected+1 || found[p.expected].Kind != allocator.WriteAfterFree || found[p.expected].Block != b.address() {
		return fmt.Errorf("a write after free of %s was expected when it is let out, not %v", b, found)
	}
	p.expected = 0
	p.withdrawn.Add(1)
	return nil
}
