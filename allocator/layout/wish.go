package layout

// Wish is what another process wants of a heap whose program allows it: the only word of a heap that anybody else writes.
//
//	bits 0..7     the mode that it should have; 0: as it is
//	bit  8        whether the guard rate should change
//	bits 9..40    the guard rate
//	bits 48..63   wishTag, so that a stray write is no wish
type Wish uint64

const wishTag = 0x5749 // "WI"

// MakeWish is a wish for a mode (0: as it is) and a guard rate (negative: as it is).
func MakeWish(m Mode, guardRate int) Wish {
	w := Wish(wishTag)<<48 | Wish(uint8(m))
	if guardRate >= 0 {
		w |= 1<<8 | Wish(uint32(guardRate))<<9
	}
	return w
}

// Valid reports whether the word is a wish.
func (w Wish) Valid() bool { return w>>48 == wishTag }

// Mode is the mode that is wished for; 0: as it is.
func (w Wish) Mode() Mode { return Mode(w & 0xff) }

// GuardRate is the guard rate that is wished for; ok is false when it should stay.
func (w Wish) GuardRate() (rate int, ok bool) { return int(uint32(w >> 9)), w&(1<<8) != 0 }
