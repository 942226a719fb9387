package main

import "testing"

// Every way frees what it allocates: Close of a heap would say so.
func TestWays(t *testing.T) {
	for _, w := range ways {
		if err := w.run(1000); err != nil {
			t.Errorf("%s: %v", w.name, err)
		}
	}
}

func TestMedian(t *testing.T) {
	costs := []cost{{Seconds: 3}, {Seconds: 1}, {Seconds: 2}}
	if got := median(costs, func(c cost) float64 { return c.Seconds }); got != 2 {
		t.Errorf("median %v, want 2", got)
	}
}
