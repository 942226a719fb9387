package allocator

import (
	"unsafe"

	"github.com/glassheap/glassheap/allocator/layout"
)

func sealAt(block unsafe.Pointer, offset uint32) *uint64 {
	return (*uint64)(unsafe.Add(block, offset))
}

// writeSlack fills the bytes from size to end, where the seal begins, with the slack pattern. Nothing below size is touched
// but the rest of the last word, and only when fresh: the contents of a new block are not defined.
func writeSlack(block unsafe.Pointer, size, end uint32) {
	if end-size <= 8 {
		*sealAt(block, end-8) = layout.SlackWord
		return
	}
	fillSlack(block, size, end)
}

// fillSlack fills the bytes from size to end and touches no other.
func fillSlack(block unsafe.Pointer, size, end uint32) {
	slack := unsafe.Slice((*byte)(unsafe.Add(block, size)), end-size)
	for len(slack) >= 8 {
		*(*uint64)(unsafe.Pointer(unsafe.SliceData(slack))) = layout.SlackWord
		slack = slack[8:]
	}
	for i := range slack {
		slack[i] = layout.SlackByte
	}
}

// longSlackDamaged is layout.SlackDamaged for more than 8 bytes. A slack longer than the block, from a seal that tells too large a
// size, is damage too.
//
//go:noinline
func longSlackDamaged(block unsafe.Pointer, slack, end uint32) bool {
	if slack > end {
		return true
	}
	return slackDamaged(block, end-slack, end)
}

// slackDamaged reports whether any byte from size to end does not carry the pattern.
func slackDamaged(block unsafe.Pointer, size, end uint32) bool {
	for ; size&7 != 0 && size < end; size++ {
		if *(*byte)(unsafe.Add(block, size)) != layout.SlackByte {
			return true
		}
	}
	for ; size+8 <= end; size += 8 {
		if *sealAt(block, size) != layout.SlackWord {
			break
		}
	}
	for ; size < end; size++ {
		if *(*byte)(unsafe.Add(block, size)) != layout.SlackByte {
			return true
		}
	}
	return false
}
