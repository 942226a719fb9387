package replay

import "encoding/binary"

// A block's bytes are little-endian words, one for every eight bytes: the first depends on the block's number, each further one
// is patternStep more. Thus a block's bytes are found neither in another block nor at another offset of the same one.
const (
	patternSeed = 0x9e3779b97f4a7c15
	patternStep = 0xd1b54a32d192ed03
	wordBytes   = 8
)

func patternWord(number uint64, offset int) uint64 {
	return (number+1)*patternSeed + uint64(offset/wordBytes)*patternStep
}

// patternAt is what the byte at offset shall be.
func patternAt(number uint64, offset int) byte {
	return byte(patternWord(number, offset) >> (offset % wordBytes * 8))
}

// fillPattern writes b[offset:].
func fillPattern(b []byte, number uint64, offset int) {
	for ; offset < len(b) && offset%wordBytes != 0; offset++ {
		b[offset] = patternAt(number, offset)
	}
	word, rest := patternWord(number, offset), b[offset:]
	for ; len(rest) >= wordBytes; rest = rest[wordBytes:] {
		binary.LittleEndian.PutUint64(rest, word)
		word += patternStep
	}
	for i := range rest {
		rest[i] = byte(word >> (i * 8))
	}
}

// damagedAt is the offset of the first byte that is not what it shall be; -1: all are.
func damagedAt(b []byte, number uint64) int {
	word, rest := patternWord(number, 0), b
	for ; len(rest) >= wordBytes && binary.LittleEndian.Uint64(rest) == word; rest = rest[wordBytes:] {
		word += patternStep
	}
	for i := range min(len(rest), wordBytes) {
		if rest[i] != byte(word>>(i*8)) {
			return len(b) - len(rest) + i
		}
	}
	return -1
}
