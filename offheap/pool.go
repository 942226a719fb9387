package offheap

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
	"unsafe"

	"github.com/glassheap/glassheap/allocator"
)

// ErrForeign is what the error of Put is (errors.Is) when the object is not one that Get handed out and that was not put back since.
var ErrForeign = errors.New("it is not out of this pool")

// Pool keeps objects off the Go heap for reuse, up to a bound. Unlike a sync.Pool it loses none to the collector; what it keeps is
// freed by Drain and Close. All methods are safe for concurrent use.
//
// It saves what an object needs to be made ready; memory alone is had as quickly from allocator.New1. Where its objects are it
// remembers in the Go heap, in some 20 bytes for each.
//
// In a heap in audit mode the Pool keeps nothing: each Put frees, so that a use after Put is told as a use after free, a write past
// an object's end at its Put, and leaks name who got an object last. In other modes a write past the end is told when the object is
// freed, and one that nobody puts back is shown, if it is recorded, as allocated by the first who got it.
type Pool[T any] struct {
	_    noCopy
	heap *allocator.Heap
	most int

	lock    sync.Mutex
	kept    []*T
	objects map[uintptr]bool // whether the object at an address is out; it is that of a block until it is freed
	closed  bool
}

// NewPool makes a Pool that keeps at most so many objects. A T that contains Go pointers is refused as by allocator.Make.
func NewPool[T any](h *allocator.Heap, most int) (*Pool[T], error) {
	if _, err := allocator.Make[T](h, 0); err != nil {
		return nil, err
	}
	return &Pool[T]{heap: h, most: most, objects: map[uintptr]bool{}}, nil
}

func (p *Pool[T]) name() string { return "Pool[" + reflect.TypeFor[T]().String() + "]" }

func addressOf[T any](object *T) uintptr { return uintptr(unsafe.Pointer(object)) }

// Get returns an object that was put back, as it was then, or else a new one, zeroed. Errors are the heap's; after Close, ErrFreed.
func (p *Pool[T]) Get() (*T, error) {
	p.lock.Lock()
	if p.closed {
		p.lock.Unlock()
		return nil, freed("Get", p.name())
	}
	if last := len(p.kept) - 1; last >= 0 {
		object := p.kept[last]
		p.kept = p.kept[:last]
		p.objects[addressOf(object)] = true
		p.lock.Unlock()
		return object, nil
	}
	p.lock.Unlock()
	object, err := allocator.New1[T](p.heap)
	if err != nil || sizeOf[T]() == 0 {
		return object, err
	}
	p.lock.Lock()
	p.objects[addressOf(object)] = true
	p.lock.Unlock()
	return object, nil
}

// Put gives an object of Get back; nil does nothing. It is kept, or freed if the Pool has as many as it may keep, or is closed. The
// object must not be used any more.
//
// ErrForeign tells that the object is none of this Pool's, or was put back already; it is left alone, and not even read. A violation,
// of an object that is freed, is as in Heap.Free.
func (p *Pool[T]) Put(object *T) error {
	if object == nil || sizeOf[T]() == 0 {
		return nil
	}
	p.lock.Lock()
	out, ours := p.objects[addressOf(object)]
	keep := out && !p.closed && len(p.kept) < p.most && p.heap.Mode() != allocator.ModeAudit
	switch {
	case keep:
		p.objects[addressOf(object)] = false
		p.kept = append(p.kept, object)
	case out:
		delete(p.objects, addressOf(object))
	}
	p.lock.Unlock()
	switch {
	case keep:
		return nil
	case out:
		return allocator.Free1(p.heap, object)
	case ours:
		return p.foreign(object, "it was put back already")
	}
	return p.foreign(object, "none of its objects is there")
}

func (p *Pool[T]) foreign(object *T, why string) error {
	return fmt.Errorf("offheap: Put of %p into a %s: %w: %s", object, p.name(), ErrForeign, why)
}

// Kept is how many objects are kept for reuse.
func (p *Pool[T]) Kept() int {
	p.lock.Lock()
	defer p.lock.Unlock()
	return len(p.kept)
}

// Out is how many objects are out: were got and not put back.
func (p *Pool[T]) Out() int {
	p.lock.Lock()
	defer p.lock.Unlock()
	return len(p.objects) - len(p.kept)
}

// Drain frees the objects that are kept. Those that are out can still be put back. A violation in one, as in Heap.Free, keeps none of
// the others from being freed.
func (p *Pool[T]) Drain() error { return p.drain(false) }

// Close is Drain, and the end of Get: from now on objects that are put back are freed at once. A second Close returns ErrFreed.
func (p *Pool[T]) Close() error { return p.drain(true) }

func (p *Pool[T]) drain(closing bool) error {
	p.lock.Lock()
	kept, closed := p.kept, p.closed
	p.kept, p.closed = nil, closed || closing
	for _, object := range kept {
		delete(p.objects, addressOf(object))
	}
	p.lock.Unlock()
	if closed && closing {
		return freed("Close", p.name())
	}
	var errs []error
	for _, object := range kept {
		errs = append(errs, allocator.Free1(p.heap, object))
	}
	return errors.Join(errs...)
}
