package replay

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestPatternOfAllSizesAndOffsets(t *testing.T) {
	for size := range 70 {
		whole := make([]byte, size)
		for i := range whole {
			whole[i] = patternAt(7, i)
		}
		for offset := range size + 1 {
			b := make([]byte, size+1)
			fillPattern(b[:size], 7, offset)
			require.Equal(t, make([]byte, offset), b[:offset], "what lies before stays")
			require.Equal(t, whole[offset:], b[offset:size])
			require.Zero(t, b[size], "what lies behind stays")
		}
		require.Equal(t, -1, damagedAt(whole, 7))
	}
}

func TestFirstDamagedByteIsFound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.Uint64().Draw(t, "number")
		b := make([]byte, rapid.IntRange(1, 100).Draw(t, "size"))
		fillPattern(b, number, 0)
		first := rapid.IntRange(0, len(b)-1).Draw(t, "first")
		for i := range b[first:] {
			if i == 0 || rapid.Bool().Draw(t, "further") {
				b[first+i] ^= byte(rapid.IntRange(1, 255).Draw(t, "bits"))
			}
		}
		if at := damagedAt(b, number); at != first {
			t.Fatalf("found at %d, not %d", at, first)
		}
	})
}

// What a wrong copy brings must not look right: bytes of another block, or of another place in the same one.
func TestPatternsDiffer(t *testing.T) {
	const words = 64
	seen := map[string]bool{}
	for number := range uint64(200) {
		b := make([]byte, words*wordBytes)
		fillPattern(b, number, 0)
		for word := range slices.Chunk(b, wordBytes) {
			require.False(t, seen[string(word)])
			seen[string(word)] = true
		}
	}
}
