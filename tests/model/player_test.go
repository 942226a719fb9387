package model

import (
	"errors"
	"fmt"
	"slices"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/allocator/layout"
)

// player is one goroutine's blocks. Its methods do something to the heap and return an error when that did not come out as
// predicted.
type player struct {
	*world
	choices
	blocks   []*block
	bytes    int // in blocks
	stamps   uint64
	expected int // violations that were reported, as they should be

	mailbox chan *block // what others hand over
	others  []*player
}

// mostBytesEach is how many bytes a player holds before it must free some.
const mostBytesEach = 5 << 20

// step does one thing, chosen at random.
func (p *player) step() error {
	if p.bytes > mostBytesEach {
		return p.freeOne()
	}
	switch what := p.below(100, "what"); {
	case what < 35:
		return p.alloc()
	case what < 60:
		return p.freeOne()
	case what < 76:
		return p.realloc()
	case what < 80:
		return p.usableSize()
	case what < 82:
		p.heap.Scavenge()
		return nil
	case what < 84:
		return p.freeSome()
	case what < 86:
		return p.exhaust()
	case what < 90:
		return p.handOver()
	default:
		return p.trespass()
	}
}

// admit takes in a block that the heap has handed out, and fills it.
func (p *player) admit(b *block) error {
	p.stamps++
	b.stamp = p.stamps << 32
	base, bytes := p.heap.Range()
	if b.start == nil || b.address() < base || b.address()+uint64(b.size) > base+bytes {
		return fmt.Errorf("%s lies outside of the heap, %#x and %d bytes", b, base, bytes)
	}
	if err := p.index.insert(b); err != nil {
		return err
	}
	p.noteReclaim()
	if p.audit && p.alone && p.held.has(b) {
		return fmt.Errorf("%s was freed just now and should be held back", b)
	}
	p.keep(b)
	if b.size > 0 { // or it may lie on a guard page
		b.fill()
	}
	return nil
}

// gone takes notice of a block that was freed.
func (p *player) gone(b *block) error {
	p.count(b, -1)
	if !p.audit || !p.alone || p.isGuarded(b) {
		return nil
	}
	p.held.add(b)
	if b.span {
		return nil // nobody may look
	}
	return b.filled(layout.PoisonByte)
}

// count keeps the figures that Stats is held against.
func (p *player) count(b *block, by int64) {
	switch {
	case b.span:
		p.spans.Add(by)
	case by > 0:
		p.allocs.Add(by)
	default:
		p.frees.Add(-by)
	}
}

func (p *player) keep(b *block) {
	p.blocks = append(p.blocks, b)
	p.bytes += b.size
}

// pickOne chooses a block; nil when there is none.
func (p *player) pickOne() *block {
	if len(p.blocks) == 0 {
		return nil
	}
	return p.blocks[p.below(len(p.blocks), "block")]
}

// part lets go of a block that is about to be freed, or to be somebody else's.
func (p *player) part(b *block) {
	i := slices.Index(p.blocks, b)
	last := len(p.blocks) - 1
	p.blocks[i] = p.blocks[last]
	p.blocks = p.blocks[:last]
	p.bytes -= b.size
}

// freeOne frees a block, whose contents must be what was written.
func (p *player) freeOne() error {
	if b := p.pickOne(); b != nil {
		return p.release(b)
	}
	return nil
}

func (p *player) release(b *block) error {
	if err := b.verify(b.size); err != nil {
		return err
	}
	p.part(b)
	p.index.remove(b)
	if err := b.free(p.heap, p.choices); err != nil {
		return fmt.Errorf("free of the live %s: %w", b, err)
	}
	return p.gone(b)
}

// freeSome frees many blocks at once, so that magazines, slabs and arenas run empty.
func (p *player) freeSome() error {
	for n := len(p.blocks) * (1 + p.below(4, "quarters")) / 4; n > 0; n-- {
		if err := p.freeOne(); err != nil {
			return err
		}
	}
	return nil
}

// handOver gives a block to another player and takes those that others have given.
func (p *player) handOver() error {
	if err := p.receive(); err != nil {
		return err
	}
	if len(p.others) == 0 {
		return nil
	}
	if b := p.pickOne(); b != nil {
		p.part(b)
		select {
		case oneOf(p.choices, "to whom", p.others...).mailbox <- b:
		default: // it has no room for more
			p.keep(b)
		}
	}
	return nil
}

func (p *player) receive() error {
	for {
		select {
		case b := <-p.mailbox:
			p.keep(b)
			if err := b.verify(b.size); err != nil {
				return err
			}
		default:
			return nil
		}
	}
}

// refused judges the error of an allocation of n bytes.
func (p *player) refused(n int, err error) error {
	if wrong := (*allocator.SizeError)(nil); n > p.limit() && errors.As(err, &wrong) {
		return nil
	}
	if exhausted := (*allocator.ExhaustedError)(nil); errors.As(err, &exhausted) && p.tiny {
		if exhausted.ReserveBytes != p.options.ReserveBytes || exhausted.MappedBytes > exhausted.ReserveBytes {
			return fmt.Errorf("the figures are wrong: %w (%+v)", err, exhausted)
		}
		p.exhausted.Add(1)
		return nil
	}
	return fmt.Errorf("allocating %d bytes: %w", n, err)
}
