package main

import (
	"testing"
	"time"
)

func TestMeasure(t *testing.T) {
	calls := 0
	got := new(tail)
	got.measure(func() { calls++ }, make([]time.Duration, 1000))
	if calls != 1100 { // a tenth of them to warm up
		t.Errorf("%d calls, want 1100", calls)
	}
	for i := 1; i < len(percentiles); i++ {
		if got.rounds[i][0] < got.rounds[i-1][0] {
			t.Errorf("the percentiles fall: %v", got.rounds)
		}
	}
}

func TestWrongArguments(t *testing.T) {
	for _, err := range []error{run(0, 1, ""), run(1, 0, ""), run(1, 1, "("), run(1, 1, "nobody")} {
		if err == nil {
			t.Error("no error")
		}
	}
}
