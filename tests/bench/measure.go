package main

import (
	"runtime"
	"time"
)

// measure runs an operation for about the wanted time and returns the nanoseconds it takes. run does it at least n times and
// returns how often it did.
func measure(run func(n int) int, want time.Duration) float64 {
	n := calibrate(run, want)
	runtime.GC() // what earlier measurements left is not to be collected during this one
	done, took := clock(run, n)
	return float64(took.Nanoseconds()) / float64(done)
}

// calibrate finds how many operations take the wanted time. It warms up on the way: memory is touched for the first time,
// caches and branch predictors fill.
func calibrate(run func(n int) int, want time.Duration) int {
	n := 1
	for {
		done, took := clock(run, n)
		scale := float64(want) / float64(max(took, 1))
		if scale <= 10 {
			return max(1, int(float64(done)*scale))
		}
		n = int(float64(done) * min(scale/5, 100)) // a short run says little: not too far at once
	}
}

func clock(run func(n int) int, n int) (done int, took time.Duration) {
	start := time.Now()
	done = run(n)
	return done, time.Since(start)
}
