package layout

import "math/bits"

// Seal is the canary word in the last 8 bytes of each block of a sealed heap. One load of it tells three things:
//
//	seal = (hash | state) XOR size × M
//
//	hash    44 bits, in bits 20..63: a keyed hash of the block's address; a write past the block, or another block's seal, breaks it
//	size    16 bits, seen in bits 4..19: how many bytes were asked for, counted from the block's start (modulo 65,536, for a span)
//	state    4 bits, in bits 0..3
//
// M is 16 in its low 20 bits, so the product shows the size in bits 4..19 and folds it into the hash above: no one bit of a
// seal can flip without breaking the word. The hash tells damage from health; it does not keep an attacker out, who can
// read the secret where the heap can.
type Seal uint64

// State is what a seal says of its block. The values differ from each other in at least two bits.
type State uint8

// The states of a block. A block that was never handed out has no seal yet.
const (
	StateLive    State = 0x5 // handed out to the user
	StateAligned State = 0x6 // handed out, and the user's address lies inside the block, behind a mark (AllocAligned)
	StateFree    State = 0xa // in a magazine, in the depot or on its slab's free list

	// Audit mode: the block's Record tells more.
	StateRecorded        State = 0x9 // as StateLive
	StateRecordedAligned State = 0xc // as StateAligned
	StateQuarantined     State = 0xf // freed and held back; its bytes are poison
	StatePoisoned        State = 0x3 // as StateFree; its bytes are poison
)

// String is the word that every output uses for the state.
func (s State) String() string {
	switch s {
	case StateLive:
		return "live"
	case StateAligned:
		return "live, aligned"
	case StateFree:
		return "free"
	case StateRecorded:
		return "live, recorded"
	case StateRecordedAligned:
		return "live, aligned, recorded"
	case StateQuarantined:
		return "quarantined"
	case StatePoisoned:
		return "free, poisoned"
	}
	return "no state"
}

// Live reports whether the state is one of a block in the user's hands.
func (s State) Live() bool {
	return s == StateLive || s == StateAligned || s == StateRecorded || s == StateRecordedAligned
}

// Aligned reports whether the user's address lies inside the block, behind a mark.
func (s State) Aligned() bool { return s == StateAligned || s == StateRecordedAligned }

// Recorded reports whether the block's Record says who allocated it.
func (s State) Recorded() bool {
	return s == StateRecorded || s == StateRecordedAligned || s == StateQuarantined || s == StatePoisoned
}

// Free reports whether the state is one of a block that waits to be handed out. A quarantined one does not.
func (s State) Free() bool { return s == StateFree || s == StatePoisoned }

// Poisoned reports whether all bytes of the block must be poison.
func (s State) Poisoned() bool { return s == StateQuarantined || s == StatePoisoned }

const (
	// SealBytes is what a seal takes at the end of each block.
	SealBytes = 8
	// SealHashMask covers the hash of a Seal.
	SealHashMask = ^uint64(sealLow)
	// SealSizeMultiplier is the M of a Seal: odd in its upper 44 bits, so that sizes that differ give hashes that differ.
	SealSizeMultiplier = 0x9e3779b97f500010
	sealLow            = 1<<20 - 1

	sealMultiplier = 0xd6e8feb86659fd93 // odd, with no long runs of equal bits
)

// SealHash is the hash part of the seal of the block at address, in a heap with this secret: the two halves of a 128-bit
// product folded together, so that every bit of the address reaches the bits that are kept.
func SealHash(address, secret uint64) uint64 { return sealProduct(address, secret) &^ sealLow }

func sealProduct(address, secret uint64) uint64 {
	high, low := bits.Mul64(address^secret, sealMultiplier)
	return high ^ low
}

// MakeSeal composes the seal of a block of which size bytes are used, counted from its start.
func MakeSeal(address, secret uint64, size int, state State) Seal {
	return ComposeSeal(SealHash(address, secret), size, state)
}

// ComposeSeal is MakeSeal for who has the block's SealHash already.
func ComposeSeal(hash uint64, size int, state State) Seal {
	return Seal((hash | uint64(state)) ^ uint64(uint16(size))*SealSizeMultiplier)
}

// In is the seal of the same block, with the same size, in another state.
func (s Seal) In(state State) Seal { return s&^0xf | Seal(state) }

// State is the state that the seal tells.
func (s Seal) State() State { return State(s & 0xf) }

// Size is the number of bytes asked for, modulo 65,536.
func (s Seal) Size() uint16 { return uint16(s >> 4) }

// Unfolded is the seal without its size: hash and state.
func (s Seal) Unfolded() uint64 { return uint64(s) ^ uint64(s.Size())*SealSizeMultiplier }

// Belongs reports whether the seal carries the hash of the block at address.
func (s Seal) Belongs(address, secret uint64) bool {
	return (s.Unfolded()^sealProduct(address, secret))&SealHashMask == 0
}

const (
	// SlackByte fills what lies between the bytes that were asked for and the seal.
	SlackByte = 0xb7
	// SlackWord is eight of them.
	SlackWord = 0xb7b7b7b7b7b7b7b7

	// FreshByte fills a block that audit mode hands out: what is read before it is written is recognised.
	FreshByte = 0xfa
	// FreshWord is eight of them.
	FreshWord = 0xfafafafafafafafa
	// PoisonByte fills a block that was freed in audit mode.
	PoisonByte = 0xdf
	// PoisonWord is eight of them.
	PoisonWord = 0xdfdfdfdfdfdfdfdf
)

// SlackDamaged reports whether one of the last slack bytes of the word before a seal lost its pattern: they lie in its upper
// bits. There are at most 8; of more, the answer is about some of them.
func SlackDamaged(word uint64, slack uint32) bool {
	half := (32 - 4*slack) & 63 // of the shift: for no slack it is 64, for which a processor has no instruction
	return (word^SlackWord)>>half>>half != 0
}

// A block in StateAligned carries an alignment mark in the 8 bytes before the user's address: the hash for that very
// address, and how far it lies from the block's start.

// MakeAlignmentMark is the mark before the user's address, which lies offset bytes inside its block.
func MakeAlignmentMark(address, secret uint64, offset int) Seal {
	return MakeSeal(address, ^secret, offset, StateAligned)
}

// AlignmentOffset is how far the user's address lies inside its block, and whether mark, the word before the address, says so.
func AlignmentOffset(mark Seal, address, secret uint64) (offset int, ok bool) {
	return int(mark.Size()), mark.Belongs(address, ^secret) && mark.State() == StateAligned
}
