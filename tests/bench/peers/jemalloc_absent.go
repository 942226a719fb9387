//go:build !cgo || !jemalloc

package peers

import "errors"

var (
	openJemalloc  = absent("built without the tag jemalloc")
	openRistretto = absent("built without the tag jemalloc")
)

// absent is the opener of a peer that this program was built without.
func absent(why string) opener {
	return func() (tasks, closer, error) { return nil, nil, errors.New(why) }
}
