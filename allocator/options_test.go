package allocator

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNewRefusesOptionsThatCannotBe(t *testing.T) {
	for name, c := range map[string]struct {
		options Options
		says    string
	}{
		"long name":          {Options{Name: strings.Repeat("n", 32)}, "Options.Name has 32 bytes, at most 31"},
		"mode":               {Options{Mode: 3}, "Options.Mode is 3: choose ModePlain, ModeSealed or ModeAudit"},
		"geometry":           {Options{Geometry: 77}, "Options.Geometry is 77: choose"},
		"backing":            {Options{Backing: 4}, "Options.Backing is 4: choose"},
		"file without path":  {Options{Backing: BackingFile}, "a path goes with BackingFile"},
		"path without file":  {Options{Backing: BackingMemfd, Path: "x"}, "only with it"},
		"negative reserve":   {Options{ReserveBytes: -1}, "Options.ReserveBytes is -1: it must lie from"},
		"reserve below 1MiB": {Options{ReserveBytes: 1<<20 - 1}, "(1 MiB)"},
		"reserve above 8TiB": {Options{ReserveBytes: 8<<40 + 1}, "(8 TiB)"},
		"negative retain":    {Options{RetainBytes: -1}, "Options.RetainBytes is -1"},
		"negative limit":     {Options{LimitBytes: -1}, "Options.LimitBytes is -1"},
		"limit below a page": {Options{LimitBytes: 4095}, "Options.LimitBytes is 4095: it must be 0, for no limit, or at least 4096"},
		"policy":             {Options{Policy: 2}, "Options.Policy is 2: choose"},
		"negative policy":    {Options{Policy: -1}, "Options.Policy is -1"},
	} {
		h, err := New(c.options)
		require.ErrorContains(t, err, c.says, name)
		require.Nil(t, h, name)
	}
}

func TestDefaults(t *testing.T) {
	h, err := New(Options{})
	require.NoError(t, err)
	defer h.Close()
	s := h.Stats()
	require.Equal(t, "heap", h.Name())
	require.Equal(t, ModeSealed, s.Mode)
	require.EqualValues(t, 64<<30, s.ReserveBytes)
	require.Zero(t, s.MappedBytes, "address space is all that a new heap takes")
	require.Zero(t, s.LiveBlocks)
	id := h.header().Identity
	require.Equal(t, GeometryDefault, id.Geometry)
	require.Equal(t, defaultBacking, id.Backing)
	require.Equal(t, "heap", id.HeapName())
}

func TestReserveIsRoundedUpToArenas(t *testing.T) {
	h := newHeap(t, Options{ReserveBytes: 2<<20 + 1, Name: strings.Repeat("n", 31)})
	require.EqualValues(t, 3<<20, h.Stats().ReserveBytes)
	require.Len(t, h.Name(), 31)
}

// TestSecretsDiffer: who knows one heap's seals knows nothing of another's.
func TestSecretsDiffer(t *testing.T) {
	require.NotEqual(t, newHeap(t, Options{}).secret, newHeap(t, Options{}).secret)
}

func TestFileMustBeNewAndStays(t *testing.T) {
	path := filepath.Join(t.TempDir(), "heap")
	h, err := New(Options{Path: path, ReserveBytes: 1 << 20})
	require.NoError(t, err)
	copy(alloc(t, h, 40), "it survives everything, this one")

	_, err = New(Options{Path: path, ReserveBytes: 1 << 20})
	require.ErrorIs(t, err, os.ErrExist)
	require.NotContains(t, err.Error(), "address space", "what was refused is the file")

	require.Error(t, h.Close())
	bytes, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Contains(t, string(bytes), "it survives everything")
}
