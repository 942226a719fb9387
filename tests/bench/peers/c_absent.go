//go:build !cgo

package peers

var (
	openMalloc   = absent("built without cgo")
	openMimalloc = absent("built without cgo")
	openTcmalloc = absent("built without cgo")
	openCalloc   = absent("built without cgo")
	openArrowC   = absent("built without cgo")
)
