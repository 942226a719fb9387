package target

import (
	"container/list"
	"sync"
)

// mostCachedBytes bounds the decoded chunks that a snapshot keeps.
const mostCachedBytes = 16 << 20

// chunkCache keeps the chunks that were used last. It is safe for concurrent use: two readers of one chunk decode it once.
type chunkCache struct {
	decode func(i int) ([]byte, error)

	lock   sync.Mutex
	byID   map[int]*list.Element // of *cached
	recent list.List             // the latest first
	bytes  int                   // of the decoded ones in the list
}

type cached struct {
	id    int
	once  sync.Once
	plain []byte // constant when once is done
	err   error
	bytes int // counted in chunkCache.bytes
}

// get returns the bytes of a chunk, which nobody may write to.
func (c *chunkCache) get(i int) ([]byte, error) {
	c.lock.Lock()
	element, hit := c.byID[i]
	if hit {
		c.recent.MoveToFront(element)
	} else {
		if c.byID == nil {
			c.byID = map[int]*list.Element{}
		}
		element = c.recent.PushFront(&cached{id: i})
		c.byID[i] = element
	}
	entry := element.Value.(*cached)
	c.lock.Unlock()

	entry.once.Do(func() {
		entry.plain, entry.err = c.decode(i)
		c.charge(entry)
	})
	return entry.plain, entry.err
}

// entryBytes is what an entry costs beside its bytes: a damaged chunk has none, and there may be many.
const entryBytes = 256

// charge counts a decoded chunk, and lets go of the oldest ones that don't fit beside it.
func (c *chunkCache) charge(entry *cached) {
	c.lock.Lock()
	defer c.lock.Unlock()
	if element := c.byID[entry.id]; element == nil || element.Value != entry {
		return // was let go while it was decoded
	}
	entry.bytes = len(entry.plain) + entryBytes
	c.bytes += entry.bytes
	for c.bytes > mostCachedBytes {
		oldest := c.recent.Back()
		e := c.recent.Remove(oldest).(*cached)
		delete(c.byID, e.id)
		c.bytes -= e.bytes
	}
}
