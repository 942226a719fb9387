package allocator

import (
	"os"
	"os/exec"
	"reflect"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator/layout"
)

// trapped names the hook that a child of the test sets a breakpoint on; unset in the test itself.
const trapped = "GLASSHEAP_TEST_TRAP"

// TestHooksAreReached sets a breakpoint on each hook, as a debugger does, in a child that then does what the hook is for. The
// child dies of it, and its trace shows the hook, who called it, and nobody inlined it.
func TestHooksAreReached(t *testing.T) {
	trap, ok := map[string][]byte{"amd64": {0xcc}, "arm64": {0x00, 0x00, 0x20, 0xd4}}[runtime.GOARCH]
	if !ok {
		t.Skip("no breakpoint instruction is known for " + runtime.GOARCH + ": run it on amd64 or arm64")
	}
	hooks := map[string]struct {
		hook         any
		name, caller string
		do           func(h *Heap)
	}{
		"arena of slabs": {OnArenaReady, "OnArenaReady", "(*Heap).takeRun", func(h *Heap) { alloc(t, h, 40) }},
		"arenas of span": {OnArenaReady, "OnArenaReady", "(*Heap).takeArenas", func(h *Heap) { alloc(t, h, 3<<20) }},
		"slab":           {OnSlabReady, "OnSlabReady", "(*Heap).growBin", func(h *Heap) { alloc(t, h, 40) }},
		"violation":      {OnViolation, "OnViolation", "(*Heap).report", func(h *Heap) { _ = h.FreePointer(h.base) }},
		"fault": {OnViolation, "OnViolation", "CatchFaults", func(h *Heap) {
			b := alloc(t, h, 100_000)
			_ = CatchFaults(func() { *past(b, 25*layout.PageBytes) = 1 })
		}},
	}
	if name := os.Getenv(trapped); name != "" {
		h := newHeap(t, Options{})
		memory, err := os.OpenFile("/proc/self/mem", os.O_WRONLY, 0)
		require.NoError(t, err)
		_, err = memory.WriteAt(trap, int64(reflect.ValueOf(hooks[name].hook).Pointer()))
		require.NoError(t, err)
		hooks[name].do(h)
		return
	}
	for name, hook := range hooks {
		child := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
		child.Env = append(os.Environ(), trapped+"="+name)
		out, err := child.CombinedOutput()
		require.Error(t, err, "%s was not reached: %s", name, out)
		require.Contains(t, string(out), "SIGTRAP", name)
		require.Contains(t, string(out), "allocator."+hook.name+"(", name)
		require.Contains(t, string(out), "allocator."+hook.caller, name)
	}
}

// TestHooksComeWhenAllIsReady: the structs that they are handed are whole by then. (A hook can't be replaced; what it would
// see is what is there when its caller returns.)
func TestHooksComeWhenAllIsReady(t *testing.T) {
	h := newHeap(t, Options{})
	s, err := h.makeSlab(h.bin(3))
	require.NoError(t, err)
	require.NotNil(t, s)
	require.Equal(t, layout.SlabActive, s.State)
	require.Equal(t, h.data, s.Base)
	require.EqualValues(t, 3, s.Bin)
	a := h.arena(0)
	require.Equal(t, layout.ArenaPages, a.State)
	require.EqualValues(t, layout.PagesPerArena-4, a.FreePages)
	require.EqualValues(t, 1, a.SlabCount)
	sound(t, h)

	none, err := h.makeSlab(h.bin(3))
	require.NoError(t, err)
	require.Nil(t, none, "the bin has room")
}
