// Package offheap has the idioms of Go over a glassheap: a growable slice (Vec), a byte arena (Scope), a pool of objects (Pool), a
// buffer (Buffer) and a handle (Handle), whose contents lie off the Go heap and are verified as every block of the heap is.
//
//	v, err := offheap.NewVec[Point](h, 100)
//	defer v.Free()
//	err = v.Append(Point{1, 2})
//	for _, p := range v.Slice() { … }
//
// What is stored off-heap holds no Go pointers: the collector does not look there. A type that has some is refused, with the path to
// the field, as by allocator.Make. The values of this package themselves (*Vec and so on) are small and lie in the Go heap.
//
// Everything must be freed by hand, once. After that it is of no use: methods that return an error return one that is ErrFreed, the
// others panic with it. A slice, string or pointer that was handed out is not protected by that: it must not be used any more. In a
// heap in audit mode such a use is found as every use after free is.
//
// Who forgets to free leaks: Close of the heap, `glassheap leaks` and glassheaptest tell. Vec, Scope, Buffer and Handle can tell earlier,
// when the collector finds that nobody can free them any more: ReportLost.
//
// Pool and Handle.Free may be used by several goroutines at a time. Vec, Scope and Buffer are like slices and bytes.Buffer: not without a
// lock. Different ones over the same heap need none.
package offheap
