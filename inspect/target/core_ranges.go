package target

import (
	"cmp"
	"slices"
)

// addresses is a range of addresses.
type addresses struct{ start, end uint64 }

// united sorts ranges and makes one of those that touch.
func united(ranges []addresses) []addresses {
	slices.SortFunc(ranges, func(a, b addresses) int { return cmp.Compare(a.start, b.start) })
	joined := ranges[:0]
	for _, r := range ranges {
		if last := len(joined) - 1; last >= 0 && r.start <= joined[last].end {
			joined[last].end = max(joined[last].end, r.end)
		} else if r.start < r.end {
			joined = append(joined, r)
		}
	}
	return joined
}

// without is what united ranges hold that others, which are united too, don't.
func without(ranges, others []addresses) (left []addresses) {
	next := 0
	for _, r := range ranges {
		for next < len(others) && others[next].end <= r.start {
			next++
		}
		for i := next; i < len(others) && others[i].start < r.end; i++ {
			if r.start < others[i].start {
				left = append(left, addresses{r.start, others[i].start})
			}
			r.start = min(r.end, max(r.start, others[i].end))
		}
		if r.start < r.end {
			left = append(left, r)
		}
	}
	return left
}

// within is the part of united ranges that lies in one.
func within(ranges []addresses, whole addresses) (parts []addresses) {
	i, _ := slices.BinarySearchFunc(ranges, whole.start, func(r addresses, start uint64) int {
		if r.end <= start {
			return -1
		}
		return 1
	})
	for _, r := range ranges[i:] {
		if r.start >= whole.end {
			break
		}
		parts = append(parts, addresses{max(r.start, whole.start), min(r.end, whole.end)})
	}
	return parts
}
