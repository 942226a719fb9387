package query

import (
	"cmp"
	"container/heap"
	"slices"
	"unsafe"
)

// entry is a row that is kept until all are there.
type entry[R any] struct {
	key  any
	nth  int // as it came: equal rows stay in that order
	row  R
	rank int // of a key that is not known: last, whichever way the rows are sorted
}

// kept are the rows that a sorted list keeps: all, or the first so many. It is a heap with the row on top that goes first.
type kept[R any] struct {
	entries    []entry[R]
	descending bool
	limit      int // 0: all are kept
}

// before is the order of the list.
func (k *kept[R]) before(a, b *entry[R]) int {
	order := compare(a.key, b.key)
	if k.descending {
		order = -order
	}
	return cmp.Or(cmp.Compare(a.rank, b.rank), order, cmp.Compare(a.nth, b.nth))
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
func (k *kept[R]) Len() int           { return len(k.entries) }
func (k *kept[R]) Less(i, j int) bool { return k.before(&k.entries[i], &k.entries[j]) > 0 }
func (k *kept[R]) Swap(i, j int)      { k.entries[i], k.entries[j] = k.entries[j], k.entries[i] }
func (k *kept[R]) Push(x any)         { k.entries = append(k.entries, x.(entry[R])) }
func (k *kept[R]) Pop() any {
	last := k.entries[len(k.entries)-1]
	k.entries = k.entries[:len(k.entries)-1]
	return last
}

// add keeps a row, if it is one of the first.
func (k *kept[R]) add(row R, key any, nth int) {
	e := entry[R]{key: key, nth: nth, row: row}
	if key == nil {
		e.rank = 1
	}
	switch {
	case k.limit == 0:
		k.entries = append(k.entries, e)
	case len(k.entries) < k.limit:
		heap.Push(k, e)
	case k.before(&e, &k.entries[0]) < 0:
		k.entries[0] = e
		heap.Fix(k, 0)
	}
}

// sort puts the rows in their order.
func (k *kept[R]) sort() {
	slices.SortFunc(k.entries, func(a, b entry[R]) int { return k.before(&a, &b) })
}

// bytes is what the rows take, texts that they share excepted.
func (k *kept[R]) bytes() int64 { return int64(cap(k.entries)) * int64(BytesOf[R]()) }

// BytesOf is what a row takes in a list that is being sorted, texts that rows share excepted.
func BytesOf[R any]() int { return int(unsafe.Sizeof(entry[R]{})) }
