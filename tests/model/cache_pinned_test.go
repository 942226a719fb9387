//go:build !glassheap_portable

package model

// oneCache: on one P, one goroutine always has the same cache.
const oneCache = true
