// Command useafterfree keeps pages off Go's heap, in a small cache. One of its functions frees a page that another one still
// holds.
package main

import (
	"fmt"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/tests/tutorial/onlookers"
)

// cache holds a block for each page. The block's first byte counts how often the page was read.
type cache struct {
	heap   *allocator.Heap
	pages  map[string][]byte
	latest string // the page that was read last is likely to be read again
	page   []byte
}

func main() {
	heap, err := allocator.New(allocator.Options{Name: "pages", ReserveBytes: 64 << 20})
	check(err)
	c := &cache{heap: heap, pages: map[string][]byte{}}
	check(c.add("/news", "it will rain"))
	c.read("/news")
	check(c.evict("/news"))
	check(c.add("/about", "we read books"))
	c.read("/news")
	fmt.Printf("nobody has read /about, its count is %d\n", c.pages["/about"][0])
	wait()
	check(c.evict("/about"))
}

// add gives a page a block of its own.
func (c *cache) add(url, text string) error {
	block, err := c.heap.Alloc(1 + len(text))
	if err == nil {
		block[0] = 0
		copy(block[1:], text)
		c.pages[url] = block
	}
	return err
}

// read returns a page's text, and counts. Of a page that is not there it returns nil.
func (c *cache) read(url string) []byte {
	if url != c.latest {
		c.latest, c.page = url, c.pages[url]
	}
	if c.page == nil {
		return nil
	}
	count(c.page)
	return c.page[1:]
}

// count notes in a page that it was read.
//
//go:noinline
func count(page []byte) { page[0]++ }

// evict makes room.
func (c *cache) evict(url string) error {
	block := c.pages[url]
	delete(c.pages, url)
	return c.heap.Free(block)
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
