package allocator

import "unsafe"

// What audit mode writes over a block: FreshByte when it is handed out, PoisonByte when it is freed. Sizes are multiples of 8.

// fillWords fills a block's first bytes, four words at a time. The last four are done together, whether some are done already
// or not.
func fillWords(block unsafe.Pointer, bytes uint32, word uint64) {
	const step = 32
	if bytes < step {
		for ; bytes > 0; bytes -= 8 {
			*sealAt(block, bytes-8) = word
		}
		return
	}
	last := bytes - step
	for done := uint32(0); done < last; done += step {
		*(*[4]uint64)(unsafe.Add(block, done)) = [4]uint64{word, word, word, word}
	}
	*(*[4]uint64)(unsafe.Add(block, last)) = [4]uint64{word, word, word, word}
}
