package inspect

import "math/bits"

// bitset is a set of numbers below a limit.
type bitset []uint64

func newBitset(limit uint32) bitset { return make(bitset, (uint64(limit)+63)/64) }

func (b bitset) has(i uint32) bool { return b[i/64]&(1<<(i%64)) != 0 }

// add reports whether i is new.
func (b bitset) add(i uint32) bool {
	word, bit := &b[i/64], uint64(1)<<(i%64)
	if *word&bit != 0 {
		return false
	}
	*word |= bit
	return true
}

// each calls visit with the numbers of b that are not in without, in order.
func (b bitset) each(without bitset, visit func(i uint32)) {
	for k := range b {
		for word := b[k] &^ without[k]; word != 0; word &= word - 1 {
			visit(uint32(k*64 + bits.TrailingZeros64(word)))
		}
	}
}
