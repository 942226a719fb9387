package target

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"time"
	"unsafe"

	"github.com/glassheap/glassheap/allocator/layout"
)

// Arm has a heap of a running process change its mode or guard rate. It is the only thing that glassheap ever writes into
// another process's heap: one word of the header, which the program looks at because it chose to. Arm returns when the
// program has done it, or the context's error.
func Arm(ctx context.Context, pid int, o Options, w layout.Wish) (Armed, error) {
	p := procOf(pid)
	heaps, err := p.heaps()
	if err != nil {
		return Armed{}, err
	}
	f, err := p.choose(heaps, o)
	if err != nil {
		return Armed{}, err
	}
	if f.path == "" {
		return Armed{}, fmt.Errorf("heap %q has no memory file: it can't be changed from outside", f.Name)
	}
	file, err := p.openMemoryFileFor(f, &descriptors{proc: p}, os.O_RDWR)
	if err != nil {
		return Armed{}, p.explain("change", err)
	}
	defer file.Close()
	head := func() (h layout.Header, err error) {
		_, err = file.ReadAt(layout.Bytes(&h), 0)
		return h, err
	}
	h, err := head()
	switch {
	case err != nil:
		return Armed{}, err
	case h.Identity.Magic != layout.Magic || h.Identity.Version != layout.Version || h.Identity.SchemaHash != layout.Hash(layout.SchemaText()):
		// Elsewhere another schema is followed. Here something is written.
		return Armed{}, fmt.Errorf("heap %q has a format of version %d and not the schema of this program, whose version is %d: use the glassheap that its program was built with", f.Name, h.Identity.Version, layout.Version)
	case h.Armable != 1:
		return Armed{}, ErrNotArmable
	}
	var word [8]byte
	binary.LittleEndian.PutUint64(word[:], uint64(w))
	if _, err := file.WriteAt(word[:], int64(unsafe.Offsetof(h.Wish))); err != nil {
		return Armed{}, err
	}
	for h.Wish = w; h.Wish != 0; {
		select {
		case <-ctx.Done():
			return Armed{}, fmt.Errorf("process %d has not answered: %w", pid, ctx.Err())
		case <-time.After(10 * time.Millisecond):
		}
		if h, err = head(); err != nil {
			return Armed{}, err
		}
	}
	return Armed{Heap: f.Name, Mode: h.Mode, ModeName: h.Mode.String(), GuardRate: h.GuardRate}, nil
}
