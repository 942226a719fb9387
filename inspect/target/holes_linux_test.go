package target

import (
	"bytes"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// TestHoles takes a snapshot of a file that is mostly holes: they cost nothing, and every byte is there.
func TestHoles(t *testing.T) {
	path := inTestFolder(t, "sparse.heap")
	file, err := os.Create(path)
	require.NoError(t, err)
	defer file.Close()
	const size = 64 << 30
	require.NoError(t, file.Truncate(size))
	written := map[int64][]byte{
		0: heapBytes(headerBytes), 20 << 20: noise(1, 100_000), 20<<20 + 120<<10: noise(2, 8192), 21 << 20: noise(3, 8192), 1 << 30: noise(4, 1), size - 7: noise(5, 7),
	}
	for at, text := range written {
		_, err := file.WriteAt(text, at)
		require.NoError(t, err)
	}
	opened, err := OpenFile(path)
	require.NoError(t, err)
	defer opened.Close()

	parts, err := opened.(sparse).data(Extent{0, size})
	require.NoError(t, err)
	require.Len(t, parts, 5, "the hole between two of them is too small to be passed over: %v", parts)
	for i, p := range parts {
		require.Positive(t, p.Bytes)
		if i > 0 {
			require.Greater(t, p.Offset, parts[i-1].end())
		}
	}
	parts, err = opened.(sparse).data(Extent{2 << 30, 1 << 30})
	require.NoError(t, err)
	require.Empty(t, parts)
	parts, err = opened.(sparse).data(Extent{2 << 30, smallExtent})
	require.NoError(t, err)
	require.Equal(t, []Extent{{2 << 30, smallExtent}}, parts, "to ask would cost more than to read")

	frozen, err := Freeze(t.Context(), opened, []Extent{{0, size}})
	require.NoError(t, err)
	require.Less(t, len(frozen.memory), 1<<20)
	var out bytes.Buffer
	require.NoError(t, WriteSnapshot(t.Context(), &out, opened, []Extent{{0, size}}, SnapshotInfo{}, nil))
	s, err := openBytes(out.Bytes())
	require.NoError(t, err)
	require.EqualValues(t, size, s.Size())
	for at, text := range written {
		require.Equal(t, text, readPartOf(t, frozen, at, len(text)))
		require.Equal(t, text, readPartOf(t, s, at, len(text)))
		require.Equal(t, readPartOf(t, opened, max(0, at-5000), 5000+len(text)), readPartOf(t, s, max(0, at-5000), 5000+len(text)))
	}
	require.NoError(t, frozen.Close())

	// Extents that cut the data.
	frozen, err = Freeze(t.Context(), opened, []Extent{{20<<20 + 50_000, 10}, {20<<20 + 80_000, 1 << 20}})
	require.NoError(t, err)
	want := readPartOf(t, opened, 20<<20+50_000, 1<<20+30_000)
	clear(want[10:30_000])
	require.True(t, bytes.Equal(want, readPartOf(t, frozen, 20<<20+50_000, len(want))))
	require.NoError(t, frozen.Close())
}

func TestPipe(t *testing.T) {
	path := inTestFolder(t, "pipe")
	require.NoError(t, unix.Mkfifo(path, 0o600))
	_, err := OpenFile(path) // would wait for a writer
	require.ErrorAs(t, err, new(*FormatError))
}

// TestTooLargeCopy asks for more memory than there is. Nothing is taken: the source is not even read.
func TestTooLargeCopy(t *testing.T) {
	_, _, err := takeMemory(mostHeapBytes)
	require.ErrorContains(t, err, "MiB are available")
}
