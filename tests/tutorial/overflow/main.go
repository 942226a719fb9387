// Command overflow keeps the names of logged-in users off Go's heap, in a small session cache. One of its functions writes a
// byte more than there is room for.
package main

import (
	"fmt"
	"unsafe"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/tests/tutorial/onlookers"
)

// cache holds a block with the user's name for each session.
type cache struct {
	heap  *allocator.Heap
	names map[string][]byte
}

func main() {
	heap, err := allocator.New(allocator.Options{Name: "sessions", ReserveBytes: 64 << 20})
	check(err)
	c := &cache{heap, map[string][]byte{}}
	for i, user := range []string{"ada", "grace hopper", "margaret", "barbara"} {
		check(c.login(fmt.Sprintf("session %d", i), user))
	}
	check(c.rename("session 2", "kathleen"))
	wait()
	for i := range 4 {
		check(c.logout(fmt.Sprintf("session %d", i)))
	}
}

func (c *cache) login(session, user string) error {
	block, err := c.heap.Alloc(len(user))
	if err == nil {
		copy(block, user)
		c.names[session] = block
	}
	return err
}

func (c *cache) logout(session string) error {
	block := c.names[session]
	delete(c.names, session)
	return c.heap.Free(block)
}

// rename writes the new name over the old one where it fits.
func (c *cache) rename(session, user string) error {
	block := c.names[session]
	if len(user) > len(block) {
		if err := c.logout(session); err != nil {
			return err
		}
		return c.login(session, user)
	}
	overwrite(block, user)
	return nil
}

// overwrite puts a name in the place of another. A zero marks its end, for the old one may have been longer.
//
//go:noinline
func overwrite(block []byte, name string) {
	text := unsafe.Pointer(unsafe.SliceData(block))
	for i := range len(name) {
		*(*byte)(unsafe.Add(text, i)) = name[i]
	}
	*(*byte)(unsafe.Add(text, len(name))) = 0
}

// wait lets the program be looked at until its input ends.
//
//go:noinline
func wait() { onlookers.Await() }

func check(err error) {
	if err != nil {
		panic(err)
	}
}
