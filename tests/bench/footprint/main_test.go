package main

import (
	"runtime"
	"testing"
)

// What is touched is found in the process's memory.
func TestResident(t *testing.T) {
	before, err := resident()
	if err != nil {
		t.Skip(err)
	}
	const size = 64 << 20
	block := make([]byte, size)
	for i := range block {
		block[i] = 1
	}
	after, err := resident()
	if err != nil {
		t.Fatal(err)
	}
	runtime.KeepAlive(block)
	if grown := after - before; grown < size/2 {
		t.Errorf("%d bytes were touched, and the process grew by %d", size, grown)
	}
}

func TestAnUnknownPeer(t *testing.T) {
	if measure("nobody", 10, 0) == nil {
		t.Error("no error")
	}
}
