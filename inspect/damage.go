package inspect

import (
	"encoding/binary"
	"fmt"

	"github.com/glassheap/glassheap/allocator/layout"
)

// diagnose looks closely at a block whose seal did not fit its place, and says what happened to it; nil when it is healthy.
// c is the census of its slab.
func (h *Heap) diagnose(s *Slab, index int, c *census) (*Finding, error) {
	if index == slabTail {
		return h.diagnoseTail(s)
	}
	own := make([]byte, s.class.Stride)
	if err := h.read(own, s.blockAddress(index)); err != nil {
		return nil, err
	}
	b := h.examineBlock(s, index, c.places[index], c.onTop(index), own)
	f := Finding{Severity: SeverityDamage, Address: b.Address, Block: b}
	// Seals are written whole and slack before them: an operation under way can leave a seal that the lists don't agree with,
	// but never one that is broken.
	if b.Seal == SealWrong && (h.bins[s.bin].Lock.Held() || h.header.PagesLock.Held()) {
		f.Severity = SeverityUnsettled
	}
	switch {
	case b.Seal == SealIntact:
		return h.recordFinding(s, b, layout.Seal(b.SealWord).State()), nil
	case b.Seal == SealNone || b.Place == PlaceWithdrawn || b.Place == PlaceLost || b.Place == PlaceVirgin:
		return nil, nil
	case b.Seal == SealWrong && b.Place == PlaceLive:
		f.Code = CodeLostBlock
		f.Summary = "a free block is on no list"
		f.Found, f.Expected = "sealed as free", "live, or on a free list"
		f.Cause = "the list or the magazine that had it was written over by something that is not the heap"
	case b.Seal == SealWrong:
		f.Code = CodeDoubleListed
		f.Summary = fmt.Sprintf("a block that is sealed as live is %s too", b.Place)
		f.Found, f.Expected = "sealed as live", "sealed as free"
		f.Cause = "it was freed twice at the same time by two goroutines, or a list of free blocks was written over"
	case b.Place == PlaceLive:
		h.diagnoseLive(&f, s, index, own)
	default:
		h.diagnoseFree(&f, s, index, own, c)
	}
	return &f, nil
}

// diagnoseLive says how far and from where a live block's seal or slack was written over.
func (h *Heap) diagnoseLive(f *Finding, s *Slab, index int, own []byte) {
	b := f.Block
	size := int(s.class.Size)
	told, matching := h.likelySeal(s.blockAddress(index), own[size:], size)
	known := matching >= 3 // bytes of the seal that agree: a guess that could be chance is none
	from, to := size, len(own)
	if b.Seal == SealSlack {
		told, known = layout.Seal(b.SealWord), true
	}
	used := -1 // bytes, from the block's start
	if known {
		used = int(told.Size())
		b.Aligned = 0
		if told.State().Aligned() {
			b.Aligned = h.alignedAt(s.blockAddress(index), own[:used])
		}
		b.Requested = used - b.Aligned
		var expected [layout.SealBytes]byte
		binary.LittleEndian.PutUint64(expected[:], uint64(told))
		if h.blind {
			used = size // of what lies before the seal nothing is known
		}
		from, to = damageIn(own, used, size, expected)
	}
	f.Code = CodeOverflow
	f.Found, f.Expected = layout.Hex(binary.LittleEndian.Uint64(own[size:])), "the seal of the block"
	f.Excerpt = h.excerpt(s.blockAddress(index), own, from, to, size)
	switch {
	case h.blind && known:
		f.Summary = fmt.Sprintf("the seal behind a live block of %d is written over, %s of it", b.Requested, amount(int64(to-from)))
		f.Cause = "a write past the block's end, or one that ran backwards out of the block behind it; " + missing
	case h.blind:
		f.Summary = "the seal of a live block is written over"
		f.Cause = "a write that ran through the whole seal; " + missing
	case !known:
		f.Summary = "overflow, past a live block: its seal is written over"
		f.Cause = "a write that ran through the whole seal; the bytes before it tell what was written"
	case from > size && to == len(own):
		// The first bytes of the seal are whole, its last ones are not.
		f.Summary = fmt.Sprintf("%s written %d behind the end of a live block of %d, or %d before the block behind it", amount(int64(to-from)), from-used+1, b.Requested, len(own)-from)
		f.Cause = fmt.Sprintf("an index behind the end of this block, or a write before the start of the one behind it, at %s", Address(s.blockAddress(index)+uint64(len(own))))
	case used+1 < from:
		f.Summary = fmt.Sprintf("%s written %d behind the end of a live block of %d", amount(int64(to-from)), from-used, b.Requested)
		f.Cause = likelyOverflow(own, from, to, used)
	default:
		f.Summary = fmt.Sprintf("overflow by %s, past a live block of %d", amount(int64(to-used)), b.Requested)
		f.Cause = likelyOverflow(own, from, to, used)
	}
}

// diagnoseFree says what happened to a free block whose seal is broken.
func (h *Heap) diagnoseFree(f *Finding, s *Slab, index int, own []byte, c *census) {
	size := int(s.class.Size)
	f.Code = CodeWriteAfterFree
	if f.Block.Seal == SealPoison {
		h.diagnosePoison(f, s, index, own[:size])
		return
	}
	f.Summary = "the seal of a free block is written over"
	expected := layout.MakeSeal(s.blockAddress(index), h.id.Secret, 0, layout.StateFree)
	if told, matching := h.likelySeal(s.blockAddress(index), own[size:], size); matching >= 3 && !told.State().Live() {
		expected = told
	}
	f.Found, f.Expected = layout.Hex(uint64(f.Block.SealWord)), layout.Hex(uint64(expected))
	var bytes [layout.SealBytes]byte
	binary.LittleEndian.PutUint64(bytes[:], uint64(expected))
	from, to := damageIn(own, size, size, bytes)
	f.Excerpt = h.excerpt(s.blockAddress(index), own, from, to, size)
	f.Cause = "somebody still holds the block's address and wrote behind its end, or the block before it was overrun"
	if index > 0 {
		before := make([]byte, s.class.Stride)
		if h.read(before, s.blockAddress(index-1)) == nil {
			if b := h.examineBlock(s, index-1, c.places[index-1], false, before); b.Seal == SealBroken || b.Seal == SealSlack {
				f.Cause = fmt.Sprintf("the write that ran over the end of the block before it, at %s", b.Address)
			}
		}
	}
}

// diagnoseTail says what was written behind the last block of a slab, which nobody should reach: nil: nothing.
func (h *Heap) diagnoseTail(s *Slab) (*Finding, error) {
	if h.blind {
		return nil, nil
	}
	end := s.capacity() * int(s.class.Stride)
	data := make([]byte, max(0, s.pages*layout.PageBytes-end))
	if err := h.read(data, s.base+uint64(end)); err != nil {
		return nil, err
	}
	from := firstDamage(data)
	if from < 0 {
		return nil, nil
	}
	to := len(data)
	for data[to-1] == layout.SlackByte {
		to--
	}
	f := &Finding{
		Code: CodeOverflow, Severity: SeverityDamage, Address: Address(s.base + uint64(end+from)), Struct: s.name(),
		Found: layout.Hex(uint64(data[from])), Expected: layout.Hex(layout.SlackByte),
		Summary: fmt.Sprintf("%s written behind the last block of a slab, where no block is", amount(int64(to-from))),
		Cause:   "an index far behind the end of the slab's last block",
		Excerpt: excerpt(s.base+uint64(end), data, from, to, len(data)),
	}
	if next := h.slabAt(s.base + uint64(s.pages)*layout.PageBytes); to == len(data) && next != nil {
		f.Code = CodeUnderflow
		f.Summary = fmt.Sprintf("underflow by %s, before the first block of a slab", amount(int64(to-from)))
		f.Cause = "a write before the block's start"
		f.Block = h.describeBlock(next, 0, PlaceLive)
		f.Address = f.Block.Address
	}
	if h.bins[s.bin].Lock.Held() || h.header.PagesLock.Held() {
		f.Severity = SeverityUnsettled
	}
	return f, nil
}

// diagnosePoison says which bytes of a freed block were written.
func (h *Heap) diagnosePoison(f *Finding, s *Slab, index int, data []byte) {
	from, to := firstUnpoisoned(data), len(data)
	for data[to-1] == layout.PoisonByte {
		to--
	}
	f.Summary = fmt.Sprintf("%s written at +%d of a block after it was freed", amount(int64(to-from)), from)
	f.Found, f.Expected = fmt.Sprintf("%s at +%d", layout.Hex(uint64(data[from])), from), layout.Hex(layout.PoisonByte)+", the poison of a freed block"
	f.Excerpt = excerpt(s.blockAddress(index), data, from, to, len(data))
	f.Cause = "somebody kept the block's address and wrote through it after it was freed"
}

// likelySeal guesses the seal that a block had, from what is left of it: the one, among all sizes and states, that has
// the most bytes in common with it.
func (h *Heap) likelySeal(address uint64, left []byte, most int) (best layout.Seal, matching int) {
	hash := layout.SealHash(address, h.id.Secret)
	word := binary.LittleEndian.Uint64(left)
	for _, state := range sealStates {
		for size := most; size >= 0; size-- {
			seal := (hash | uint64(state)) ^ uint64(size)*layout.SealSizeMultiplier
			n := 0
			for rest, i := seal^word, 0; i < layout.SealBytes; i++ {
				if rest&0xff == 0 {
					n++
				}
				rest >>= 8
			}
			if n > matching {
				best, matching = layout.Seal(seal), n
			}
		}
	}
	return best, matching
}

// sealStates are the states that a seal is tried for, the likeliest first.
var sealStates = []layout.State{
	layout.StateLive, layout.StateRecorded, layout.StateAligned, layout.StateRecordedAligned, layout.StateQuarantined, layout.StatePoisoned,
}

// damageIn is the range of a block, with its seal, that does not hold what it should: the slack pattern from used to size,
// and then the seal.
func damageIn(block []byte, used, size int, seal [layout.SealBytes]byte) (from, to int) {
	from, to = len(block), used
	for i := used; i < len(block); i++ {
		expected := byte(layout.SlackByte)
		if i >= size {
			expected = seal[i-size]
		}
		if block[i] != expected {
			from, to = min(from, i), i+1
		}
	}
	return min(from, to), to
}

// likelyOverflow guesses what kind of mistake wrote the bytes from to to.
func likelyOverflow(block []byte, from, to, requested int) string {
	switch {
	case from == requested && to == from+1 && block[from] == 0:
		return "a string copied with its terminator into a buffer made for the string alone"
	case from == requested && to == from+1:
		return "an index or a loop that runs one element too far"
	case from == requested:
		return "a write that is longer than the block; the bytes tell what was written"
	}
	return "an index behind the end: the bytes between were not touched"
}

func plural(n int, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}

// excerptContext is how many bytes an excerpt shows before the damage and behind it.
const excerptContext = 16

// excerpt cuts the bytes around damage out of a block. Where the users' bytes are not there, that is the seal.
func (h *Heap) excerpt(address uint64, block []byte, from, to, size int) *Excerpt {
	if !h.blind {
		return excerpt(address, block, from, to, size)
	}
	e := excerpt(address+uint64(size), block[size:], max(from, size)-size, max(to, size)-size, 0)
	e.Offset += size
	return e
}

// excerpt cuts the bytes around damage out of a block.
func excerpt(address uint64, block []byte, from, to, size int) *Excerpt {
	start := max(0, from-excerptContext) &^ 7
	end := min(len(block), max(to, size+layout.SealBytes))
	if end-start > 96 {
		end = start + 96
	}
	return &Excerpt{Start: Address(address + uint64(start)), Offset: start, Bytes: append([]byte(nil), block[start:end]...), From: from - start, To: min(to, end) - start, Seal: size - start}
}
