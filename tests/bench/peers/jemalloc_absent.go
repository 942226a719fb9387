//go:build !cgo || !jemalloc

package peers

var (
	openJemalloc  = absent("built without the tag jemalloc")
	openRistretto = absent("built without the tag jemalloc")
)
