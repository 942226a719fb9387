//go:build glassheap_portable

package model

// oneCache: without pinning a goroutine's cache depends on where its stack lies, which moves.
const oneCache = false
