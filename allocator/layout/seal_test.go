package layout

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestNoFlippedBitOfASealPasses: any one bit that flips makes the seal another block's, or a state that is none.
func TestNoFlippedBitOfASealPasses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		address := rapid.Uint64().Draw(t, "address") &^ 7
		secret := rapid.Uint64().Draw(t, "secret")
		size := rapid.IntRange(0, 65535).Draw(t, "size")
		state := rapid.SampledFrom([]State{StateLive, StateAligned, StateFree}).Draw(t, "state")
		seal := MakeSeal(address, secret, size, state)
		if !seal.Belongs(address, secret) || seal.State() != state || int(seal.Size()) != size {
			t.Fatalf("seal %x of %x: size %d, state %s", seal, address, seal.Size(), seal.State())
		}
		for bit := range 64 {
			flipped := seal ^ 1<<bit
			if flipped.Belongs(address, secret) && (flipped.State().Live() || flipped.State() == StateFree) {
				t.Fatalf("bit %d of %x flipped passes as %d bytes, %s", bit, seal, flipped.Size(), flipped.State())
			}
		}
	})
}

func TestASealBelongsToItsAddressOnly(t *testing.T) {
	const address, secret = 0x7f0000001000, 0x123456789abcdef
	seal := MakeSeal(address, secret, 40, StateLive)
	for other := uint64(address - 4096); other < address+4096; other += 8 {
		require.Equal(t, other == address, seal.Belongs(other, secret))
	}
	require.False(t, seal.Belongs(address, secret+1))
}

func TestAlignmentMark(t *testing.T) {
	const address, secret = 0x7f0000001040, 77
	mark := MakeAlignmentMark(address, secret, 64)
	offset, ok := AlignmentOffset(mark, address, secret)
	require.True(t, ok)
	require.Equal(t, 64, offset)
	_, ok = AlignmentOffset(mark, address+8, secret)
	require.False(t, ok)
	_, ok = AlignmentOffset(MakeSeal(address, secret, 64, StateAligned), address, secret)
	require.False(t, ok, "a block's own seal is no mark")
}
