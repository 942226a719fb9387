package report

import (
	"encoding/binary"
	"fmt"

	"github.com/glassheap/glassheap/allocator/layout"
)

// Damage is what was written where nobody may write.
type Damage struct {
	Before    bool   // before the block, not behind it
	Summary   string // what happened, in a few words
	Cause     string // what most likely led to it
	Requested int    // bytes that were asked for, as far as the damage lets it be known; else -1
	Aligned   int    // how far inside its block the user's address lies
	Found     string // what the first of the damaged holds
	Expected  string // what it should hold
	Excerpt   *Excerpt
}

// Sealed is a block of a slab as it was found: its bytes, with those of the seal behind them.
type Sealed struct {
	Address uint64
	Secret  uint64 // of the heap
	Bytes   []byte
	Missing string // why only the seal is there of it, in words; empty: all is there
}

func (s Sealed) size() int { return len(s.Bytes) - layout.SealBytes }

func (s Sealed) seal() layout.Seal {
	return layout.Seal(binary.LittleEndian.Uint64(s.Bytes[s.size():]))
}

// excerpt cuts the bytes around damage, from..to, out of what is there of the block.
func (s Sealed) excerpt(from, to int) *Excerpt {
	return cutKnown(s.Address, s.Bytes, from, to, s.size(), s.Missing != "")
}

// Overrun says how far and from where a live block's slack or seal was written over. whole: the seal is the block's own, and the
// slack before it is damaged.
func (s Sealed) Overrun(whole bool) Damage {
	size := s.size()
	told, matching := s.likelySeal()
	known := matching >= 3 // bytes of the seal that agree: a guess that could be chance is none
	if whole {
		told, known = s.seal(), true
	}
	d := Damage{Requested: -1, Found: layout.Hex(uint64(s.seal())), Expected: "the seal of the block"}
	from, to, used := size, len(s.Bytes), -1
	if known {
		used = int(told.Size())
		if told.State().Aligned() {
			d.Aligned = s.AlignedAt(used)
		}
		d.Requested = used - d.Aligned
		if s.Missing != "" {
			used = size
		}
		from, to = damageIn(s.Bytes, used, size, told)
	}
	d.Excerpt = s.excerpt(from, to)
	switch {
	case s.Missing != "" && known:
		d.Summary = fmt.Sprintf("the seal behind a live block of %d is written over, %s of it", d.Requested, Bytes(to-from))
		d.Cause = "a write past the block's end, or one that ran backwards out of the block behind it; " + s.Missing
	case s.Missing != "":
		d.Summary = "the seal of a live block is written over"
		d.Cause = "a write that ran through the whole seal; " + s.Missing
	case !known:
		d.Summary = "overflow, past a live block: its seal is written over"
		d.Cause = "a write that ran through the whole seal; the bytes before it tell what was written"
	case from > size && to == len(s.Bytes):
		// The first bytes of the seal are whole, its last ones are not.
		d.Summary = fmt.Sprintf("%s written %d behind the end of a live block of %d, or %d before the block behind it", Bytes(to-from), from-used+1, d.Requested, len(s.Bytes)-from)
		d.Cause = fmt.Sprintf("an index behind the end of this block, or a write before the start of the one behind it, at %s", layout.Hex(s.Address+uint64(len(s.Bytes))))
	case used+1 < from:
		d.Summary = fmt.Sprintf("%s written %d behind the end of a live block of %d", Bytes(to-from), from-used, d.Requested)
		d.Cause = likelyOverflow(s.Bytes, from, to, used)
	default:
		d.Summary = fmt.Sprintf("overflow by %s, past a live block of %d", Bytes(to-used), d.Requested)
		d.Cause = likelyOverflow(s.Bytes, from, to, used)
	}
	return d
}

// Underrun says how the seal of this block was written over, when it is the live block behind it, of size bytes, that is asked about.
func (s Sealed) Underrun(size int) Damage {
	end := len(s.Bytes)
	from, to := s.size(), end
	if told, matching := s.likelySeal(); matching >= 3 {
		from, to = damageIn(s.Bytes, int(told.Size()), s.size(), told)
	}
	d := Damage{
		Before: true, Requested: size, Found: layout.Hex(uint64(s.seal())), Expected: "the seal of the block before",
		Summary: fmt.Sprintf("the seal before a live block of %d is written over", size),
		Cause:   fmt.Sprintf("a write that ran over the end of the block before it, at %s", layout.Hex(s.Address)),
	}
	if from > s.size() && to == end {
		d.Summary = fmt.Sprintf("underflow by %s, before a live block of %d", Bytes(to-from), size)
		d.Cause = fmt.Sprintf("a write before the block's start, or an index behind the end of the block before it, at %s", layout.Hex(s.Address))
	}
	d.Excerpt = s.excerpt(from, to)
	d.Excerpt.Offset -= end
	return d
}

// MarkOverrun says how the alignment mark of this live block was written over: the word before the user's address, which lies offset
// bytes inside the block. used is how much of the block is in use, from its start.
func (s Sealed) MarkOverrun(offset, used int) Damage {
	mark := layout.MakeAlignmentMark(s.Address+uint64(offset), s.Secret, offset)
	from, to := damageIn(s.Bytes[:offset], offset-layout.SealBytes, offset-layout.SealBytes, mark)
	d := Damage{
		Before: true, Requested: used - offset, Aligned: offset, Expected: layout.Hex(uint64(mark)),
		Found:   layout.Hex(binary.LittleEndian.Uint64(s.Bytes[offset-layout.SealBytes:])),
		Summary: fmt.Sprintf("the mark before a live block of %d, which was allocated aligned, is written over", used-offset),
		Cause:   "a write before the block's start",
	}
	if to == offset {
		d.Summary = fmt.Sprintf("underflow by %s, before a live block of %d", Bytes(to-from), used-offset)
	}
	d.Excerpt = s.excerpt(from, to)
	return d
}

// MarkLost is MarkOverrun for who does not know the user's address: it is where most is left of a mark, if enough is.
func (s Sealed) MarkLost() Damage {
	used := int(s.seal().Size())
	best, matching := 0, 0
	for offset := layout.SealBytes; offset < used; offset += layout.SealBytes {
		mark := layout.MakeAlignmentMark(s.Address+uint64(offset), s.Secret, offset)
		left := binary.LittleEndian.Uint64(s.Bytes[offset-layout.SealBytes:])
		if n := bytesAlike(uint64(mark), left); n > matching {
			best, matching = offset, n
		}
	}
	if matching >= 3 { // less could be chance
		return s.MarkOverrun(best, used)
	}
	return Damage{
		Before: true, Requested: -1, Summary: "the mark before a live block, which was allocated aligned, is written over",
		Cause: "a write before the block's start", Found: "no mark before the seal", Expected: "a mark before the address that AllocAligned returned",
	}
}

// bytesAlike is how many of their eight bytes two words have in common.
func bytesAlike(a, b uint64) (n int) {
	for rest, i := a^b, 0; i < layout.SealBytes; i++ {
		if rest&0xff == 0 {
			n++
		}
		rest >>= 8
	}
	return n
}

// Freed says how the seal of a free block was written over, which was expected to be this one.
func (s Sealed) Freed() Damage {
	size := s.size()
	expected := layout.MakeSeal(s.Address, s.Secret, 0, layout.StateFree)
	if told, matching := s.likelySeal(); matching >= 3 && !told.State().Live() {
		expected = told
	}
	from, to := damageIn(s.Bytes, size, size, expected)
	return Damage{
		Requested: -1, Found: layout.Hex(uint64(s.seal())), Expected: layout.Hex(uint64(expected)), Excerpt: s.excerpt(from, to),
		Summary: "the seal of a free block is written over",
		Cause:   "somebody still holds the block's address and wrote behind its end, or the block before it was overrun",
	}
}

// Poisoned says which bytes of a freed block were written over; ok is false when none is.
func (s Sealed) Poisoned() (d Damage, ok bool) {
	data := s.Bytes[:s.size()]
	from, to := extent(data, layout.PoisonByte)
	if from == to {
		return d, false
	}
	return Damage{
		Requested: int(s.seal().Size()), Found: foundAt(data[from], from), Expected: layout.Hex(layout.PoisonByte) + ", the poison of a freed block", Excerpt: cut(s.Address, data, from, to, len(data)),
		Summary: fmt.Sprintf("%s written at +%d of a block after it was freed", Bytes(to-from), from),
		Cause:   "somebody kept the block's address and wrote through it after it was freed",
	}, true
}

// SpanEnd is the end of a live span as it was found: its slack and its seal.
type SpanEnd struct {
	Base      uint64 // of the span
	Secret    uint64 // of the heap
	Requested uint64
	Start     uint64 // of Bytes, from the base: some bytes before Requested, unless that is more than a page before the seal
	Bytes     []byte // up to the end of the seal
	Missing   string // as in Sealed
}

// Seal is the seal that the span should have.
func (s SpanEnd) Seal() layout.Seal {
	return layout.MakeSeal(s.Base, s.Secret, int(s.Requested), layout.StateLive)
}

// Overrun says how far a live span's slack or seal was written over; ok is false when neither was.
func (s SpanEnd) Overrun() (d Damage, ok bool) {
	size := len(s.Bytes) - layout.SealBytes
	used := int(max(s.Requested, s.Start) - s.Start)
	if s.Missing != "" {
		used = size
	}
	from, to := damageIn(s.Bytes, used, size, s.Seal())
	if from == to {
		return d, false
	}
	d = Damage{
		Requested: int(s.Requested), Found: layout.Hex(binary.LittleEndian.Uint64(s.Bytes[size:])), Expected: layout.Hex(uint64(s.Seal())), Excerpt: cutKnown(s.Base+s.Start, s.Bytes, from, to, size, s.Missing != ""),
		Summary: fmt.Sprintf("overflow by %s, past a live span of %d", Bytes(int64(s.Start)+int64(to)-int64(s.Requested)), s.Requested),
		Cause:   likelyOverflow(s.Bytes, from, to, int(s.Requested)-int(s.Start)),
	}
	if s.Missing != "" {
		d.Summary = fmt.Sprintf("the seal behind a live span of %d is written over, %s of it", s.Requested, Bytes(to-from))
		d.Cause = "a write past the span's end; " + s.Missing
	}
	d.Excerpt.Offset += int(s.Start)
	return d, true
}

// Edges are what a guarded block or span does not use of its pages, as it was found, with some of its own bytes beside that.
type Edges struct {
	What      string // "guarded block"
	Address   uint64 // the user's
	Requested int
	Before    []byte // from the start of the page to EdgeContext bytes of the block, or all of it
	Behind    []byte // from EdgeContext bytes before its end, or all of it, to the end of the page
}

// EdgeContext is how many of a block's own bytes Edges want beside what lies around it.
const EdgeContext = excerptContext

// Damage says what was written there; ok is false when nothing was.
func (e Edges) Damage() (d Damage, ok bool) {
	own := min(e.Requested, EdgeContext)
	start := len(e.Before) - own
	if from, to := extent(e.Before[:start], layout.SlackByte); from < to {
		d = Damage{
			Before: true, Requested: e.Requested, Found: foundAt(e.Before[from], from-start), Expected: layout.Hex(layout.SlackByte), Excerpt: cut(e.Address-uint64(start), e.Before, from, to, len(e.Before)),
			Summary: fmt.Sprintf("underflow by %s, before a live %s of %d", Bytes(start-from), e.What, e.Requested),
			Cause:   "a write before the block's start",
		}
		d.Excerpt.Offset -= start
		return d, true
	}
	from, to := extent(e.Behind[own:], layout.SlackByte)
	if from == to {
		return d, false
	}
	d = Damage{
		Requested: e.Requested, Found: foundAt(e.Behind[own+from], e.Requested+from), Expected: layout.Hex(layout.SlackByte),
		Excerpt: cut(e.Address+uint64(e.Requested-own), e.Behind, own+from, own+to, len(e.Behind)),
		Summary: fmt.Sprintf("overflow by %s, past a live %s of %d", Bytes(to), e.What, e.Requested),
		Cause:   likelyOverflow(e.Behind, own+from, own+to, own),
	}
	d.Excerpt.Offset += e.Requested - own
	return d, true
}

// SlabTail says what was written behind the last block of a slab: tail is what lies there, at address. ok is false when nothing was.
func SlabTail(address uint64, tail []byte) (d Damage, from, to int, ok bool) {
	from, to = extent(tail, layout.SlackByte)
	if from == to {
		return d, 0, 0, false
	}
	return Damage{
		Requested: -1, Found: layout.Hex(uint64(tail[from])), Expected: layout.Hex(layout.SlackByte), Excerpt: cut(address, tail, from, to, len(tail)),
		Summary: fmt.Sprintf("%s written behind the last block of a slab, where no block is", Bytes(to-from)),
		Cause:   "an index far behind the end of the slab's last block",
	}, from, to, true
}

// foundAt is a damaged byte, and where it lies from the block's start.
func foundAt(b byte, at int) string { return fmt.Sprintf("%s at %+d", layout.Hex(uint64(b)), at) }

// extent is the range from the first byte that is not the pattern's to behind the last one; from == to: every byte is.
func extent(data []byte, pattern byte) (from, to int) {
	for from < len(data) && data[from] == pattern {
		from++
	}
	to = len(data)
	for to > from && data[to-1] == pattern {
		to--
	}
	return from, to
}

// damageIn is the range of a block, with its seal, that does not hold what it should: the slack pattern from used to size,
// and then the seal.
func damageIn(block []byte, used, size int, seal layout.Seal) (from, to int) {
	var told [layout.SealBytes]byte
	binary.LittleEndian.PutUint64(told[:], uint64(seal))
	from, to = len(block), used
	for i := used; i < len(block); i++ {
		expected := byte(layout.SlackByte)
		if i >= size {
			expected = told[i-size]
		}
		if block[i] != expected {
			from, to = min(from, i), i+1
		}
	}
	return min(from, to), to
}

// likelySeal guesses the seal that the block had, from what is left of it: the one, among all sizes and states, that has the
// most bytes in common with it.
func (s Sealed) likelySeal() (best layout.Seal, matching int) {
	hash := layout.SealHash(s.Address, s.Secret)
	word := uint64(s.seal())
	for _, state := range sealStates {
		for size := s.size(); size >= 0; size-- {
			seal := (hash | uint64(state)) ^ uint64(size)*layout.SealSizeMultiplier
			if n := bytesAlike(seal, word); n > matching {
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

// AlignedAt is how far inside its block the user's address lies, by the mark that AllocAligned wrote before it among the first
// used bytes; 0 when the user has written over the mark.
func (s Sealed) AlignedAt(used int) int {
	for offset := layout.SealBytes; offset < used; offset += layout.SealBytes {
		mark := layout.Seal(binary.LittleEndian.Uint64(s.Bytes[offset-layout.SealBytes:]))
		if told, ok := layout.AlignmentOffset(mark, s.Address+uint64(offset), s.Secret); ok && told == offset {
			return offset
		}
	}
	return 0
}
