package layout

import (
	"math/bits"
	"unsafe"
)

const (
	// StackBuckets is how many chains the stack table has.
	StackBuckets = 1 << 14
	// StackTableRoom is the address space of the stack table and its stacks, in bytes.
	StackTableRoom = 32 << 20
	// MaxStackDepth is how many frames of a stack are kept at most.
	MaxStackDepth = 32
	// StackGrain is what stacks are aligned to; a StackRef counts in it.
	StackGrain = 8

	// StackPlaceMask covers the bits of a StackRef that tell where the stack lies.
	StackPlaceMask = 1<<stackPlaceBits - 1

	stackPlaceBits = 22 // StackTableRoom / StackGrain places
)

// StackRef names a stack of the stack table; 0 is none.
//
//	bits 0..21   its place behind the table in units of StackGrain, plus 1
//	bits 22..30  of the hash of its addresses
//	bit 31       makes the number of ones even
//
// So a damaged name does not pass for that of another stack.
type StackRef uint32

// StackTable holds each different call stack once. The stacks follow it in memory, one behind the other, and are never
// changed or removed, so a reader needs no lock: a stack is linked into its bucket's chain when it is whole.
type StackTable struct {
	Lock    Lock
	Used    uint64                 // bytes of stacks
	Count   uint64                 // stacks
	Lost    uint64                 `layout:"statistic"` // stacks that did not fit
	Buckets [StackBuckets]StackRef // the newest stack of each chain, by the low bits of its hash
}

// StackTableBytes is the size of a StackTable without the stacks.
const StackTableBytes = uint64(unsafe.Sizeof(StackTable{}))

// Stack is one call stack; Depth return addresses follow it, the innermost first.
type Stack struct {
	Hash  uint64   // of the addresses
	Next  StackRef // in the bucket's chain
	Depth uint32
}

// StackHeadBytes is the size of a Stack without its addresses.
const StackHeadBytes = uint64(unsafe.Sizeof(Stack{}))

// StackBytes is the size of a Stack with this many addresses.
func StackBytes(depth uint32) uint64 { return StackHeadBytes + 8*uint64(depth) }

// RefStack is the name of the stack with this hash at offset bytes behind the table.
func RefStack(offset, hash uint64) StackRef {
	r := uint32(offset/StackGrain+1) | uint32(hash>>32)<<stackPlaceBits&^(1<<31)
	return StackRef(r | uint32(bits.OnesCount32(r)&1)<<31)
}

// Offset is how many bytes behind the table the stack lies. The ref must not be 0.
func (r StackRef) Offset() uint64 { return uint64(r&StackPlaceMask-1) * StackGrain }

// HashStack is the hash of a stack's return addresses.
func HashStack(addresses []uint64) uint64 {
	h := uint64(len(addresses))
	for _, a := range addresses {
		h = (h ^ a) * sealMultiplier
		h ^= h >> 32
	}
	return h
}
