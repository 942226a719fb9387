package inspect

import (
	"bytes"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/inspect/target"
)

// memoryOf is a target of these bytes.
type memoryOf struct{ *bytes.Reader }

func (memoryOf) Base() uint64                    { return 0 }
func (memoryOf) Description() target.Description { return target.Description{} }
func (memoryOf) Close() error                    { return nil }

// TestReadWide: several goroutines read what one would, and as much.
func TestReadWide(t *testing.T) {
	const size = 5*wideRead + 777
	memory := make([]byte, size)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range memory {
		memory[i] = byte(random.Uint32())
	}
	from := memoryOf{bytes.NewReader(memory)}
	for _, offset := range []int{0, 1, 4096, wideRead, size - 1, size, size + 1} {
		for _, length := range []int{0, 1, wideRead, 2*wideRead - 1, 2 * wideRead, 3*wideRead + 5, 4 * wideRead, size - min(offset, size), size, size + wideRead} {
			got, want := make([]byte, length), make([]byte, length)
			n, err := readWide(from, got, int64(offset))
			m, wantErr := from.ReadAt(want, int64(offset))
			require.Equal(t, m, n, "%d bytes from %d on", length, offset)
			require.Equal(t, wantErr == io.EOF, err == io.EOF)
			require.True(t, bytes.Equal(want[:m], got[:n]))
		}
	}
}
