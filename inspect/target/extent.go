package target

import (
	"cmp"
	"fmt"
	"io"
	"slices"
)

// Extent is a range of a heap: Bytes bytes from Offset on, counted from the Header.
type Extent struct{ Offset, Bytes int64 }

func (e Extent) end() int64 { return e.Offset + e.Bytes }

// mostHeapBytes bounds offsets in a heap: 16 TiB, twice the largest reserve of the allocator.
const mostHeapBytes = 1 << 44

// normalise sorts extents and joins those that touch, after refusing what can't be.
func normalise(extents []Extent) ([]Extent, error) {
	sorted := make([]Extent, 0, len(extents))
	for _, e := range extents {
		if e.Offset < 0 || e.Bytes < 0 || e.Offset > mostHeapBytes || e.Bytes > mostHeapBytes-e.Offset {
			return nil, fmt.Errorf("an extent of %d bytes from %d on does not lie in a heap", e.Bytes, e.Offset)
		}
		if e.Bytes > 0 {
			sorted = append(sorted, e)
		}
	}
	slices.SortFunc(sorted, func(a, b Extent) int { return cmp.Compare(a.Offset, b.Offset) })
	return join(sorted, 0), nil
}

// join makes one of neighbours in a sorted list that overlap or lie at most gap bytes apart.
func join(sorted []Extent, gap int64) []Extent {
	joined := sorted[:0]
	for _, e := range sorted {
		if last := len(joined) - 1; last >= 0 && e.Offset <= joined[last].end()+gap {
			joined[last].Bytes = max(joined[last].end(), e.end()) - joined[last].Offset
		} else {
			joined = append(joined, e)
		}
	}
	return joined
}

// sparse is a source that knows where it surely holds nothing but zeros, at little cost.
type sparse interface {
	// data lists the parts of an extent that may hold something else, sorted and apart.
	data(within Extent) ([]Extent, error)
}

// DataIn lists the parts of an extent that may hold something else than zeros. known is false for a source that can't tell.
func DataIn(source io.ReaderAt, within Extent) (data []Extent, known bool) {
	if _, known = source.(sparse); !known {
		return []Extent{within}, false
	}
	return dataOf(source, []Extent{within}), true
}

// smallGap is a hole that is cheaper to read than to skip.
const smallGap = 64 << 10

// dataOf leaves the holes of a source out of normalised extents.
func dataOf(source io.ReaderAt, extents []Extent) []Extent {
	s, ok := source.(sparse)
	if !ok {
		return extents
	}
	var data []Extent
	for _, e := range extents {
		parts, err := s.data(e)
		if err != nil {
			parts = []Extent{e} // not knowing the holes costs time only
		}
		for _, p := range parts {
			start, end := max(p.Offset, e.Offset), min(p.end(), e.end())
			if start < end {
				data = append(data, Extent{start, end - start})
			}
		}
	}
	return join(data, 0)
}
