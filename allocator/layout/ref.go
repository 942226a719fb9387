package layout

// Ref is a link to a T: its address in the process that owns the heap, in bytes; 0 is no link. It is a number, not a Go
// pointer, so the collector never follows it, and a reader elsewhere subtracts Header.Identity.Base to find the T in a file.
type Ref[T any] uint64

// Lock is a lock word that also tells a reader who is inside: 0 when nobody is; otherwise lockTag and the holder.
// A word that is neither is damage, so that a flipped bit can't pass for an operation under way.
type Lock uint64

const lockTag = 0x4c4f434b00000000 // "LOCK" in the upper half

// HeldBy is the word of a lock that is held by holder (a P's index, or any small number).
func HeldBy(holder int) Lock { return Lock(lockTag | uint64(uint32(holder))) }

// Held reports whether somebody is inside.
func (l Lock) Held() bool { return l != 0 }

// Valid reports whether the word can have been written by a heap with at most holders holders.
func (l Lock) Valid(holders uint32) bool {
	return l == 0 || (uint64(l)&^0xffffffff == lockTag && uint32(l) < holders)
}
