package main

import (
	"testing"
	"time"
)

func TestEachPartOnce(t *testing.T) {
	if err := run(10_000, 4, 2*time.Millisecond, 1); err != nil {
		t.Error(err)
	}
}

func TestWrongArguments(t *testing.T) {
	for _, err := range []error{run(999, 1, time.Second, 1), run(1000, 0, time.Second, 1), run(1000, 1, 0, 1), run(1000, 1, time.Second, 0)} {
		if err == nil {
			t.Error("no error")
		}
	}
}
