package inspect

import (
	"cmp"
	"context"
	"slices"

	"github.com/glassheap/glassheap/inspect/target"
)

// acquit looks again at blocks that did not fit their place in a process that runs, as most do that were just being handed
// out or taken back. All else was right, and need not be asked again: the process is held still only while what says where
// these blocks are is copied, and not the links of every slab, which are most of the metadata. It returns what was found
// without the suspects, or all of it as it was if one of them looks wrong still.
func (r *CheckReport) acquit(ctx context.Context, t target.Target, stopper target.Stopper, h *Heap, found looked) (looked, error) {
	extents, _, left := suspectExtents(found, h.id.Base)
	if left > 0 {
		return found, nil
	}
	kept := h.otherSlabs(found.suspects)
	c := new(capture)
	c.prepare(t)
	_ = c.takeBut(t, kept) // which maps what will be seen
	still, frozen, err := r.frozen(ctx, t, stopper, c, kept, extents)
	switch {
	case target.StopRefused(err):
		return found, nil
	case err != nil:
		return found, err
	}
	defer frozen.Close()
	if !still.sound || still.held() {
		return found, nil
	}
	now := looked{counts: found.counts}
	now.suspects, _ = still.again(found)
	if err := still.diagnoseAll(&now); err != nil || len(now.findings) > 0 {
		return found, err
	}
	return looked{counts: found.counts}, nil
}

// otherSlabs are, in the descriptors, the slabs of which none is suspected, with their links.
func (h *Heap) otherSlabs(suspects []suspect) []target.Extent {
	asked := map[*Slab]bool{}
	for _, s := range suspects {
		asked[s.slab] = true
	}
	var others []target.Extent
	for _, s := range h.slabs {
		if !asked[s] {
			bytes := h.format.slabDescriptorBytes(s.class.Capacity)
			others = append(others, target.Extent{Offset: int64(uint64(s.Address) - h.id.Descriptors), Bytes: int64(bytes)})
		}
	}
	slices.SortFunc(others, func(a, b target.Extent) int { return cmp.Compare(a.Offset, b.Offset) })
	return others
}
