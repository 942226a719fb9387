package inspect_test

import (
	"context"
	"fmt"
	"testing"

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
