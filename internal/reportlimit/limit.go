// Package reportlimit bounds how many reports of violations are written: a block that is written over again and again must not fill
// a disk or a log server.
package reportlimit

import (
	"sync"
	"time"
)

const (
	// AtOnce is how many reports may be written without a pause.
	AtOnce = 10
	// Every is the time after which one more may.
	Every = time.Second
)

// Limit is a bucket of AtOnce reports that gets one back each time Every has passed. Its zero value is full. Several goroutines may
// use it at the same time.
type Limit struct {
	lock   sync.Mutex
	spent  int       // of AtOnce
	filled time.Time // when one was given back last
	left   int       // reports since the last one that was allowed
}

// Allow tells whether a report may be written now, and how many were not since the last one that was.
func (l *Limit) Allow(now time.Time) (write bool, left int) {
	l.lock.Lock()
	defer l.lock.Unlock()
	if back := int(now.Sub(l.filled) / Every); back > 0 {
		l.spent, l.filled = max(0, l.spent-back), now
	}
	if l.spent == AtOnce {
		l.left++
		return false, 0
	}
	l.spent++
	left, l.left = l.left, 0
	return true, left
}
