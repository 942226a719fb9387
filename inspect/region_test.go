package inspect

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/inspect/target"
)

// shown is memory that its door shows.
type shown struct {
	target.Target
	memory []byte
}

func (s shown) View(offset, bytes int64) []byte { return s.memory[offset:][:bytes] }

// TestReadBut: what is to be kept stays as it was, all else is as it is now, and so is what was added.
func TestReadBut(t *testing.T) {
	const base, start, before, now = 1000, 1100, 400, 440
	door := func(b byte) shown {
		memory := bytes.Repeat([]byte{b}, 600)
		return shown{target.FromBytes(memory), memory}
	}
	var r region
	require.NoError(t, r.read(door('o'), base, start, before, 0))
	kept := []target.Extent{{Offset: 0, Bytes: 3}, {Offset: 100, Bytes: 50}, {Offset: 395, Bytes: 5}}
	require.True(t, r.readBut(door('n'), base, start, now, kept))
	for i, b := range r.bytes {
		expected := byte('n')
		if i < 3 || i >= 100 && i < 150 || i >= 395 && i < 400 {
			expected = 'o'
		}
		require.Equal(t, expected, b, i)
	}
	require.Len(t, r.bytes, now)

	require.False(t, r.readBut(door('n'), base, start, now-1, kept), "it has shrunk: something is wrong")
	require.False(t, r.readBut(door('n'), base, start+8, now, kept), "it lies elsewhere")
	require.False(t, r.readBut(door('n'), base, start, uint64(cap(r.bytes))+1, kept), "there is no room")
	require.False(t, r.readBut(target.FromBytes(make([]byte, 600)), base, start, now, kept), "nothing is shown")
	require.NoError(t, r.read(door('m'), base, start, now, 0))
	require.NotContains(t, string(r.bytes), "n", "what was filled is known")
}
