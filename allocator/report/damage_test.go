package report_test

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/allocator/report"
)

// FuzzDamage: whatever the bytes of a block are, what is said of them stays inside them, and the page can show it.
func FuzzDamage(f *testing.F) {
	f.Add([]byte("a block of some bytes and a seal"), uint16(20), uint8(3))
	f.Add([]byte("seal____"), uint16(0), uint8(0))
	f.Fuzz(func(t *testing.T, bytes []byte, requested uint16, state uint8) {
		if len(bytes) < layout.SealBytes || len(bytes) > 4096 {
			return
		}
		s := report.Sealed{Address: 0x7f6900000000, Secret: 4711, Bytes: bytes}
		size := len(bytes) - layout.SealBytes
		used := min(int(requested), size)
		if state&1 != 0 { // a seal that is the block's own
			binary.LittleEndian.PutUint64(bytes[size:], uint64(layout.MakeSeal(s.Address, s.Secret, used, layout.State(state>>1&0xf))))
		}
		shown := func(d report.Damage, b *report.Block) {
			e := d.Excerpt
			require.NotEmpty(t, d.Summary)
			require.True(t, 0 <= e.From && e.From <= e.To && e.To <= len(e.Bytes) && len(e.Bytes) <= 96, "%+v", e)
			var text strings.Builder
			p := report.NewPage(&text, report.Style{})
			p.Body(&report.Finding{Summary: d.Summary, Cause: d.Cause, Block: b, Excerpt: e}, "   ")
			require.NoError(t, p.Err)
			require.Equal(t, e.From < e.To, strings.Contains(text.String(), "written over"), text.String())
		}
		block := &report.Block{Place: report.PlaceLive, Size: size, Requested: used}
		shown(s.Overrun(state&1 != 0), block)
		shown(s.Underrun(used), block)
		shown(s.Freed(), &report.Block{Place: report.PlaceFree, Size: size, Requested: -1})
		if d, ok := s.Poisoned(); ok {
			shown(d, &report.Block{Place: report.PlaceQuarantined, Size: size, Requested: used, Seal: report.SealPoison})
		}
		if d, ok := (report.SpanEnd{Base: 0x7f6900000000, Requested: uint64(used), Start: uint64(used) &^ 7, Bytes: bytes[used&^7:]}).Overrun(); ok {
			shown(d, block)
		}
		if used >= report.EdgeContext {
			edges := report.Edges{What: "guarded block", Address: 0x7f6900001000, Requested: used, Before: bytes[:max(report.EdgeContext, size-used)], Behind: bytes[:max(report.EdgeContext, size-used)]}
			if d, ok := edges.Damage(); ok {
				shown(d, &report.Block{Place: report.PlaceLive, Guarded: true, Requested: used})
			}
		}
		if d, _, _, ok := report.SlabTail(0x7f6900000000, bytes); ok {
			shown(d, nil)
		}
	})
}
