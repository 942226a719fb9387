package query

import (
	"cmp"
	"container/heap"
	"slices"
	"unsafe"
)

// entry is a row that is kept until all are there.
type entry[R any] struct {
	key any // nil: it is not known, and comes last whichever way the rows are sorted
	nth int // as it came: equal rows stay in that order
	row R
}

// kept are the rows that a sorted list keeps: all, or the first so many.
type kept[R any] struct {
	descending bool
	limit      int          // 0: all are kept
	first      []entry[R]   // up to the limit: a heap with the row on top that goes first
	all        [][]entry[R] // pieces of equal size, so that nothing is copied when there are more
	n          int          // rows in all
}

// pieceRows is how many rows a piece holds.
const pieceRows = 4096

// before is the order of the list.
func (k *kept[R]) before(a, b *entry[R]) int {
	order := compare(a.key, b.key)
	if k.descending {
		order = -order
	}
	switch {
	case a.key == nil && b.key != nil:
		order = 1
	case a.key != nil && b.key == nil:
		order = -1
	}
	return cmp.Or(order, cmp.Compare(a.nth, b.nth))
}

// compare orders two values of one column.
func compare(a, b any) int {
	switch a := a.(type) {
	case int:
		b, _ := b.(int)
		return cmp.Compare(a, b)
	case uint64:
		b, _ := b.(uint64)
		return cmp.Compare(a, b)
	case string:
		b, _ := b.(string)
		return cmp.Compare(a, b)
	case bool:
		if b, _ := b.(bool); a != b {
			if a {
				return 1
			}
			return -1
		}
	}
	return 0
}

// Len, Less, Swap, Push and Pop are for container/heap.
func (k *kept[R]) Len() int           { return len(k.first) }
func (k *kept[R]) Less(i, j int) bool { return k.before(&k.first[i], &k.first[j]) > 0 }
func (k *kept[R]) Swap(i, j int)      { k.first[i], k.first[j] = k.first[j], k.first[i] }
func (k *kept[R]) Push(x any)         { k.first = append(k.first, x.(entry[R])) }
func (k *kept[R]) Pop() any {
	last := k.first[len(k.first)-1]
	k.first = k.first[:len(k.first)-1]
	return last
}

// add keeps a row, if it is one of the first.
func (k *kept[R]) add(row *R, key any) {
	e := entry[R]{key: key, nth: k.n, row: *row}
	k.n++
	switch {
	case k.limit == 0:
		if k.n%pieceRows == 1 {
			k.all = append(k.all, make([]entry[R], 0, pieceRows))
		}
		last := &k.all[len(k.all)-1]
		*last = append(*last, e)
	case len(k.first) < k.limit:
		heap.Push(k, e)
	case k.before(&e, &k.first[0]) < 0:
		k.first[0] = e
		heap.Fix(k, 0)
	}
}

// sorted is the rows in their order.
func (k *kept[R]) sorted() []*entry[R] {
	order := make([]*entry[R], 0, len(k.first)+len(k.all)*pieceRows)
	for _, piece := range append(k.all, k.first) {
		for i := range piece {
			order = append(order, &piece[i])
		}
	}
	slices.SortFunc(order, k.before)
	return order
}

// bytes is what the rows take, texts that they share excepted.
func (k *kept[R]) bytes() int64 {
	return int64(cap(k.first)+len(k.all)*pieceRows) * int64(BytesOf[R]())
}

// BytesOf is what a row takes in a list that is being sorted, texts that rows share excepted.
func BytesOf[R any]() int { return int(unsafe.Sizeof(entry[R]{}) + unsafe.Sizeof(uintptr(0))) }
