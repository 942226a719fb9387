package inspect_test

import (
	"context"
	"fmt"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/target"
)

func TestCheckFindsNothingInAHealthyHeap(t *testing.T) {
	for _, g := range []allocator.Geometry{allocator.GeometryDefault, allocator.GeometryNotes, allocator.GeometryAligned} {
		for _, m := range []allocator.Mode{allocator.ModePlain, allocator.ModeSealed} {
			t.Run(fmt.Sprintf("%s/%s", g, m), func(t *testing.T) {
				h := newHeap(t, allocator.Options{Name: "healthy", Geometry: g, Mode: m})
				check := func(when string) {
					r, err := inspect.Check(context.Background(), target.FromBytes(image(t, h)), inspect.CheckOptions{})
					require.NoError(t, err)
					for _, f := range append(r.Findings, r.Unsettled...) {
						t.Errorf("%s: %s (%s, expected %s: %s)", when, f.Summary, f.Found, f.Expected, f.Why)
					}
				}
				check("fresh")
				live := busy(t, h, 1, 5000)
				check("busy")
				for _, b := range live {
					require.NoError(t, h.Free(b))
				}
				check("idle")
				h.Scavenge()
				check("scavenged")
				busy(t, h, 2, 5000)
				check("busy again")
			})
		}
	}
}

// TestWhoseBlockItWas whose seal is written over: who allocated it is recorded elsewhere, and who freed it.
func TestWhoseBlockItWas(t *testing.T) {
	h := newHeap(t, allocator.Options{Name: "audited", Mode: allocator.ModeAudit})
	made := func() []byte {
		b, err := h.Alloc(56)
		require.NoError(t, err)
		return b
	}
	live, freed := made(), made()
	require.NoError(t, h.Free(freed))
	for _, b := range [][]byte{live, freed} {
		*(*byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), 59)) ^= 1
	}
	r, err := inspect.Check(context.Background(), target.FromBytes(image(t, h)), inspect.CheckOptions{})
	require.NoError(t, err)
	require.Len(t, r.Findings, 2)
	for _, f := range r.Findings {
		require.Equal(t, inspect.SealBroken, f.Block.Seal)
		require.NotNil(t, f.Block.Allocated, f.Summary)
		require.NotEmpty(t, f.Block.Allocated.Addresses)
		require.Equal(t, f.Code == inspect.CodeWriteAfterFree, f.Block.Freed != nil, f.Summary)
	}
}
