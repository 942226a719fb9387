package target

import (
	"unsafe"

	"github.com/glassheap/glassheap/allocator/layout"
)

// headerBytes is as much of a heap as it takes to know it by: the header with both copies of its identity.
const headerBytes = int(unsafe.Sizeof(layout.Header{}))

// copies are where the two copies of the identity lie in the header.
var copies = [2]int{int(unsafe.Offsetof(layout.Header{}.Identity)), int(unsafe.Offsetof(layout.Header{}.Twin))}

// recognise tells whether bytes are the start of a heap: one copy of the identity must carry the magic, so that a header
// damaged in the other is still known. base is where the header was found; 0: anywhere. The copy that is more credible is
// returned; what it says may be wrong all the same.
func recognise(header []byte, base uint64) (id layout.Identity, ok bool) {
	for _, at := range copies {
		if len(header) < at+int(unsafe.Sizeof(id)) {
			break
		}
		var found layout.Identity
		copy(layout.Bytes(&found), header[at:])
		switch {
		case found.Magic != layout.Magic, base != 0 && found.Base != base:
		case !ok, found.Sum() == found.Checksum && id.Sum() != id.Checksum:
			id, ok = found, true
		}
	}
	return id, ok
}
