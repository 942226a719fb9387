package symbols

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestWindow reads all over a file of several times the size of what is kept.
func TestWindow(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	file := make([]byte, 4*mostPages*pageBytes+1000)
	for i := range file {
		file[i] = byte(random.Uint32())
	}
	w := newWindow(bytes.NewReader(file))
	e := extent{0, int64(len(file)) + 1000} // it promises more than there is
	into := make([]byte, 3*pageBytes)
	for range 5000 {
		offset, n := random.Int64N(e.bytes), random.IntN(len(into))
		ok := w.read(e, offset, into[:n])
		require.Equal(t, offset+int64(n) <= int64(len(file)) || n == 0, ok)
		if ok {
			require.True(t, bytes.Equal(file[offset:offset+int64(n)], into[:n]))
		}
		require.LessOrEqual(t, len(w.pages), mostPages)
	}
	require.False(t, w.read(extent{0, 10}, 5, into[:6]))
	require.False(t, w.read(extent{0, 10}, -1, into[:1]))
}

func TestText(t *testing.T) {
	file := bytes.Repeat([]byte("a"), 3*pageBytes)
	file[2*pageBytes] = 0
	w := newWindow(bytes.NewReader(file))
	text := func(at, end, offset int64, most int) int {
		s, ok := w.text(extent{at, end - at}, offset, most)
		if !ok {
			return -1
		}
		return len(s)
	}
	require.Equal(t, 2*pageBytes, text(0, 1<<40, 0, 1<<20), "over pages")
	require.Equal(t, 5, text(0, 1<<40, 2*pageBytes-5, 1<<20))
	require.Equal(t, 0, text(0, 1<<40, 2*pageBytes, 1<<20))
	require.Equal(t, 7, text(0, 1<<40, 0, 7), "cut off")
	require.Equal(t, 10, text(0, 10, 0, 1<<20), "to the end of the table")
	require.Equal(t, -1, text(0, 1<<40, 2*pageBytes+1, 1<<20), "the file ends")
	require.Equal(t, -1, text(0, 10, 10, 1<<20))
	require.Equal(t, -1, text(0, 10, -1, 1<<20))
}
