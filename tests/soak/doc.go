// Package soak lets goroutines use a heap for a long time, in every mode, while another process checks it at random moments: every
// finding would be a false alarm.
//
//	go test -tags soak ./tests/soak -operations 1000000000 -timeout 2h
package soak
