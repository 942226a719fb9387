package report

import "fmt"

// SealState says what a block's seal looks like.
type SealState string

// The states of a seal.
const (
	SealNone    SealState = "none"    // there is none: the heap is plain, the block guarded, or it was never handed out
	SealIntact  SealState = "intact"  // it is the block's own, and so are the bytes before it
	SealBroken  SealState = "broken"  // it carries another hash than the block's
	SealWrong   SealState = "wrong"   // it is the block's own, but says something else than the lists do
	SealSlack   SealState = "slack"   // it is the block's own, but the pattern before it was written over
	SealPoison  SealState = "poison"  // it is that of a freed block, whose poison was written over
	SealMark    SealState = "mark"    // it is the block's own, but the mark before the user's part of an aligned block was written over
	SealUnknown SealState = "unknown" // not looked at
)

// Damaged reports whether the seal, or what it vouches for, is not as it should be.
func (s SealState) Damaged() bool {
	switch s {
	case SealBroken, SealWrong, SealSlack, SealPoison, SealMark:
		return true
	}
	return false
}

// Block is one block of a slab, a guarded block, or a whole span. Sizes are in bytes.
type Block struct {
	Address   Address   `json:"address"`
	Place     Place     `json:"place"`
	Bin       int       `json:"bin"`       // -1: a span or a guarded block
	Slab      int       `json:"slab"`      // number of the slab or span: its first page, counted from the first arena; -1: neither
	Index     int       `json:"index"`     // in the slab; of a guarded block: its guard slot
	Arena     int       `json:"arena"`     // that it lies in
	Size      int       `json:"size"`      // that can be written: up to the seal
	Requested int       `json:"requested"` // that were asked for; -1: not known
	Aligned   int       `json:"aligned,omitempty"`
	Seal      SealState `json:"seal"`
	SealWord  Address   `json:"seal_word,omitempty"`

	Guarded   bool       `json:"guarded,omitempty"`   // it has pages of its own between inaccessible ones, and no seal
	Allocated *Operation `json:"allocated,omitempty"` // who allocated it, as far as that was recorded
	Freed     *Operation `json:"freed,omitempty"`     // who freed it
}

// Where says in a few words which block it is.
func (b *Block) Where() string {
	text := fmt.Sprintf("bin %d (%d B), slab %d, block %d", b.Bin, b.Size, b.Slab, b.Index)
	switch {
	case b.Guarded && b.Slab < 0:
		text = fmt.Sprintf("guard slot %d", b.Index)
	case b.Bin < 0:
		text = fmt.Sprintf("span %d", b.Slab)
	}
	text += ", " + b.Place.String()
	if b.Requested >= 0 {
		text += ", " + Bytes(b.Requested)
	}
	return text
}

// HasStack reports whether some stack is part of what is known of the block.
func (b *Block) HasStack() bool {
	return b != nil && (b.Allocated != nil && b.Allocated.Stack != 0 || b.Freed != nil && b.Freed.Stack != 0)
}

// Bytes is a number of bytes in words.
func Bytes[T ~int | ~int64](n T) string {
	if n == 1 {
		return "1 byte"
	}
	return fmt.Sprintf("%d bytes", n)
}
