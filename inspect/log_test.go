package inspect_test

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/query"
	"github.com/glassheap/glassheap/inspect/target"
)

// audited is a heap in audit mode that one P uses, so that its events have one order.
func audited(t *testing.T) *allocator.Heap {
	before := runtime.GOMAXPROCS(1)
	t.Cleanup(func() { runtime.GOMAXPROCS(before) })
	return newHeap(t, allocator.Options{Mode: allocator.ModeAudit, ReserveBytes: 64 << 20})
}

// fileOf is a heap as a file, of which nothing tells whose it is.
func fileOf(t *testing.T, bytes []byte) target.Target {
	path := filepath.Join(t.TempDir(), "heap")
	require.NoError(t, os.WriteFile(path, bytes, 0o600))
	file, err := target.Open(t.Context(), path, target.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { file.Close() })
	return file
}

// openNamed is a decoded heap with its program.
func openNamed(t testing.TB, from target.Target, exe string) *inspect.Heap {
	t.Helper()
	p, err := inspect.ProgramOf(from, exe)
	require.NoError(t, err)
	t.Cleanup(func() { p.Close() })
	h, err := inspect.Open(t.Context(), from)
	require.NoError(t, err)
	h.SetProgram(p)
	return h
}

func addressOf(b []byte) uint64 { return uint64(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) }

func alloc(t *testing.T, h *allocator.Heap, n int) []byte {
	b, err := h.Alloc(n)
	require.NoError(t, err)
	return b
}

func TestTheLogIsWhatHappened(t *testing.T) {
	h := audited(t)
	first, second, large := alloc(t, h, 100), alloc(t, h, 200), alloc(t, h, 100_000)
	require.NoError(t, h.Free(first))
	require.NoError(t, h.Free(large))
	self, err := os.Executable()
	require.NoError(t, err)
	opened := openNamed(t, fileOf(t, image(t, h)), self)
	log := func(last int, w inspect.LogWords, sort string) (events []string, r *inspect.LogReport) {
		q, err := inspect.LogColumns.Parse(query.Words{And: w.Conditions(), Sort: sort})
		require.NoError(t, err)
		r, err = opened.Log(inspect.LogOptions{Query: q, Last: last})
		require.NoError(t, err)
		for _, e := range r.Events {
			name := map[uint64]string{addressOf(first): "first", addressOf(second): "second", addressOf(large): "large"}[uint64(e.Address)]
			events = append(events, e.Kind+" "+name)
		}
		return events, r
	}
	all, r := log(0, inspect.LogWords{Size: -1}, "")
	require.Equal(t, []string{"free large", "free first", "alloc large", "alloc second", "alloc first"}, all)
	require.Equal(t, []any{5, uint64(5), 0}, []any{r.Kept, r.Ever, r.Left})
	require.Equal(t, uint64(100_000), r.Events[0].Bytes)
	require.NotZero(t, r.Events[0].By.Goroutine)
	require.Contains(t, r.Events[0].By.Frames[0].Function, "TestTheLogIsWhatHappened")
	for i := range r.Events[1:] {
		require.Greater(t, r.Events[i].By.Sequence, r.Events[i+1].By.Sequence)
	}
	last, r := log(2, inspect.LogWords{Size: -1}, "")
	require.Equal(t, all[:2], last)
	require.Equal(t, 3, r.Left)
	frees, _ := log(0, inspect.LogWords{Size: -1, Kind: "free"}, "")
	require.Equal(t, all[:2], frees)
	inside, _ := log(0, inspect.LogWords{Size: -1, Address: addressOf(first) + 99}, "")
	require.Equal(t, []string{"free first", "alloc first"}, inside)
	past, _ := log(0, inspect.LogWords{Size: -1, Address: addressOf(first) + 100}, "")
	require.Empty(t, past)
	sized, _ := log(0, inspect.LogWords{Size: 200}, "")
	require.Equal(t, []string{"alloc second"}, sized)
	called, _ := log(0, inspect.LogWords{Size: -1, Function: "inspect_test.alloc", Kind: "alloc"}, "")
	require.Equal(t, []string{"alloc large", "alloc second", "alloc first"}, called)
	nobody, _ := log(0, inspect.LogWords{Size: -1, Function: "nobody"}, "")
	require.Empty(t, nobody)
	largest, r := log(2, inspect.LogWords{Size: -1}, "-size")
	require.Equal(t, []string{"free large", "alloc large"}, largest)
	require.Equal(t, 3, r.Left)

	history, err := opened.History(addressOf(large) + 50_000)
	require.NoError(t, err)
	require.Len(t, history.Events, 2)
	require.Equal(t, inspect.PlaceQuarantined, history.Now.Block.Place)
	require.Contains(t, history.Now.Block.Freed.Frames[0].Function, "TestTheLogIsWhatHappened")
	history, err = opened.History(addressOf(first) + 103) // behind what was asked for, and still of the block
	require.NoError(t, err)
	require.Len(t, history.Events, 2)
}

// TestTheLogForgets what came before its last events, and believes nothing that is no event.
func TestTheLogForgets(t *testing.T) {
	h := audited(t)
	for range 3_000 {
		require.NoError(t, h.Free(alloc(t, h, 64)))
	}
	bytes := image(t, h)
	from := target.FromBytes(bytes)
	opened, err := inspect.Open(t.Context(), from)
	require.NoError(t, err)
	r, err := opened.Log(inspect.LogOptions{})
	require.NoError(t, err)
	require.Len(t, r.Events, layout.LogEvents)
	require.EqualValues(t, 6_000, r.Ever)
	require.Equal(t, "free", r.Events[0].Kind)

	id := opened.Identity()
	journal := (*layout.Journal)(unsafe.Pointer(&bytes[uint64(id.Journals)-id.Base]))
	journal.Log[17].Kind = 4711
	journal.Log[18].Stack = 0xffff_ffff
	journal.Log[19].Address = ^uint64(0)
	journal.Events = ^uint64(0)
	opened, err = inspect.Open(t.Context(), from)
	require.NoError(t, err)
	r, err = opened.Log(inspect.LogOptions{})
	require.NoError(t, err)
	require.Len(t, r.Events, layout.LogEvents-1)
	main, err := inspect.LogColumns.Parse(query.Words{Where: `stack contains "main"`})
	require.NoError(t, err)
	_, err = opened.Log(inspect.LogOptions{Query: main})
	require.ErrorAs(t, err, new(*inspect.NoFunctionsError))
	require.ErrorContains(t, err, "--exe FILE")
}

// TestCheckSaysWhatNamesNeed, when it shows a stack.
func TestCheckSaysWhatNamesNeed(t *testing.T) {
	h := audited(t)
	b := alloc(t, h, 100)
	alloc(t, h, 100)
	require.NoError(t, h.Free(b))
	for range 3 {
		require.NoError(t, h.Free(alloc(t, h, 100))) // the first one is between others in the quarantine then
	}
	check := func(exe string) *inspect.CheckReport {
		file := fileOf(t, image(t, h))
		p, err := inspect.ProgramOf(file, exe)
		require.NoError(t, err)
		defer p.Close()
		r, err := inspect.Check(t.Context(), file, inspect.CheckOptions{Program: p})
		require.NoError(t, err)
		return r
	}
	require.Empty(t, check("").Notes)
	second := alloc(t, h, 100)
	require.NoError(t, h.Free(second))
	require.NoError(t, h.Free(alloc(t, h, 100)))
	second[5] = 'x'
	r := check("")
	require.Len(t, r.Findings, 1)
	require.Len(t, r.Notes, 1)
	require.Contains(t, r.Notes[0], "--exe FILE")
	self, err := os.Executable()
	require.NoError(t, err)
	r = check(self)
	require.Contains(t, r.Findings[0].Block.Freed.Frames[0].Function, "TestCheckSaysWhatNamesNeed")
	require.Contains(t, r.Notes[0], "nothing tells whether")
	second[5] = layout.PoisonByte
}
