package heapprofile_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/pprof/profile"
	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/heapprofile"
)

func newHeap(t *testing.T, mode allocator.Mode) *allocator.Heap {
	h, err := allocator.New(allocator.Options{Name: "profiled", Mode: mode, ReserveBytes: 64 << 20})
	require.NoError(t, err)
	t.Cleanup(func() { h.Close() })
	return h
}

//go:noinline
func planted(t *testing.T, h *allocator.Heap, blocks, size int) {
	for range blocks {
		_, err := h.Alloc(size)
		require.NoError(t, err)
	}
}

// TestPprofNamesThePlantedFunction, with its blocks and its bytes.
func TestPprofNamesThePlantedFunction(t *testing.T) {
	h := newHeap(t, allocator.ModeAudit)
	planted(t, h, 30, 1000)
	path := filepath.Join(t.TempDir(), "heap.pb.gz")
	file, err := os.Create(path)
	require.NoError(t, err)
	require.NoError(t, heapprofile.Write(file, h))
	require.NoError(t, file.Close())
	for index, want := range map[string]string{"live_blocks": `30\s+100%`, "live_bytes": `(29\.30kB|30000B)\s+100%`} {
		command := exec.Command("go", "tool", "pprof", "-top", "-sample_index="+index, path)
		command.Env = append(os.Environ(), "PPROF_TMPDIR="+t.TempDir())
		out, err := command.CombinedOutput()
		require.NoError(t, err, "%s", out)
		require.Regexp(t, `(?m)^\s*`+want+`.*heapprofile_test\.planted`, string(out))
	}
}

func TestWithoutAnAudit(t *testing.T) {
	h := newHeap(t, allocator.ModeSealed)
	planted(t, h, 3, 100)
	var b bytes.Buffer
	require.NoError(t, heapprofile.Write(&b, h))
	p, err := profile.Parse(&b)
	require.NoError(t, err)
	require.Len(t, p.Sample, 1)
	require.Equal(t, []int64{3, 300}, p.Sample[0].Value)
	require.Equal(t, "[allocated while the heap was not audited]", p.Sample[0].Location[0].Line[0].Function.Name)

	require.ErrorIs(t, heapprofile.Write(&b, newHeap(t, allocator.ModePlain)), heapprofile.ErrPlain)
}

// TestASampledHeap: the values are scaled up, and a comment says so.
func TestASampledHeap(t *testing.T) {
	h := newHeap(t, allocator.ModeSealed)
	require.NoError(t, h.SetProfileRate(16))
	planted(t, h, 8_000, 100)
	var b bytes.Buffer
	require.NoError(t, heapprofile.Write(&b, h))
	p, err := profile.Parse(&b)
	require.NoError(t, err)
	require.Len(t, p.Sample, 1)
	require.InDelta(t, 8_000, p.Sample[0].Value[0], 2*16*23)
	require.Equal(t, p.Sample[0].Value[0]*100, p.Sample[0].Value[1])
	require.EqualValues(t, 16, p.Period)
	require.Contains(t, p.Comments[0], "about")
}

func TestAnEmptyHeap(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, heapprofile.Write(&b, newHeap(t, allocator.ModeAudit)))
	p, err := profile.Parse(&b)
	require.NoError(t, err)
	require.Empty(t, p.Sample)
}
