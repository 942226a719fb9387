package main

import (
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"unsafe"

	"github.com/glassheap/glassheap/allocator"
)

const objectBytes = 64

type object [objectBytes]byte

// way is a place for the objects, and how the program holds them.
type way struct {
	name string
	run  func(objects int) error
}

// ways are the ways; all are compared with the first.
var ways = []way{
	{"Go's heap", onGoHeap},
	{"glassheap, offsets", byOffset},
	{"glassheap, pointers", byPointer},
}

// garbage makes what a program leaves behind beside its long-lived objects.
var garbage atomic.Pointer[object]

// replaceAll calls replace for as many random objects as there are.
func replaceAll(objects int, replace func(i int) error) error {
	r := rand.New(rand.NewPCG(1, 2))
	for range objects {
		garbage.Store(new(object))
		if err := replace(r.IntN(objects)); err != nil {
			return err
		}
	}
	return nil
}

func onGoHeap(objects int) error {
	held := make([]*object, objects)
	for i := range held {
		held[i] = new(object)
		held[i][0] = 1
	}
	err := replaceAll(objects, func(i int) error {
		held[i] = new(object)
		held[i][0] = 1
		return nil
	})
	runtime.KeepAlive(held)
	return err
}

// byOffset holds blocks as the distance from one of them: numbers, which the collector does not look at.
func byOffset(objects int) error {
	h, err := allocator.New(allocator.Options{Name: "gc"})
	if err != nil {
		return err
	}
	base, err := h.Malloc(objectBytes)
	if err != nil {
		return err
	}
	held := make([]int, objects)
	allocate := func(i int) error {
		p, err := h.Malloc(objectBytes)
		if err != nil {
			return err
		}
		(*object)(p)[0] = 1
		held[i] = int(uintptr(p) - uintptr(base))
		return nil
	}
	release := func(i int) error { return h.FreePointer(unsafe.Add(base, held[i])) }
	if err := cycle(objects, allocate, release); err != nil {
		return err
	}
	if err := h.FreePointer(base); err != nil {
		return err
	}
	return h.Close()
}

// byPointer holds blocks as pointers, which the collector looks at and finds not to be its own.
func byPointer(objects int) error {
	h, err := allocator.New(allocator.Options{Name: "gc"})
	if err != nil {
		return err
	}
	held := make([]unsafe.Pointer, objects)
	allocate := func(i int) (err error) {
		if held[i], err = h.Malloc(objectBytes); err == nil {
			(*object)(held[i])[0] = 1
		}
		return err
	}
	release := func(i int) error { return h.FreePointer(held[i]) }
	if err := cycle(objects, allocate, release); err != nil {
		return err
	}
	return h.Close()
}

// cycle allocates all objects, replaces as many, and frees them.
func cycle(objects int, allocate, release func(i int) error) error {
	for i := range objects {
		if err := allocate(i); err != nil {
			return err
		}
	}
	err := replaceAll(objects, func(i int) error {
		if err := release(i); err != nil {
			return err
		}
		return allocate(i)
	})
	for i := 0; i < objects && err == nil; i++ {
		err = release(i)
	}
	return err
}
