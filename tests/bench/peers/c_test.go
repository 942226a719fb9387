//go:build cgo

package peers

import (
	"strings"
	"testing"
)

// A library that is not there, or is another one, makes its peer absent, and the reason names it.
func TestAMissingLibrary(t *testing.T) {
	if _, err := findMalloc(); err != nil {
		t.Skip(err)
	}
	for want, find := range map[string]func() (cAllocator, error){
		"libnowhere.so":   library("mi_", "libnowhere.so"),
		"has no nowhere_": library("nowhere_", "libc.so.6", "libc.so"),
	} {
		_, _, err := byC(find)()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one that says %q", err, want)
		}
	}
}
