package main

import (
	"errors"
	"hash/maphash"
	"math"
	"sync/atomic"

	"github.com/glassheap/glassheap/allocator"
)

// cache is all shards over one heap. Its methods may be called concurrently.
type cache struct {
	heap   *allocator.Heap
	seed   maphash.Seed
	shards []*shard

	gets, hits, sets, refused atomic.Int64
}

func newCache(heap *allocator.Heap, shards int) *cache {
	c := &cache{heap: heap, seed: maphash.MakeSeed()}
	for range shards {
		c.shards = append(c.shards, newShard(heap))
	}
	return c
}

// shard is where a key belongs, with its hash.
func (c *cache) shard(key string) (*shard, uint64) {
	hash := maphash.String(c.seed, key)
	return c.shards[hash%uint64(len(c.shards))], hash
}

// leastEvicted is how many bytes are evicted at a time: a page run can only be used for another size when all of it is free.
const leastEvicted = 64 << 10

// make makes an entry that is in no index yet, for a value of n bytes, and evicts others until there is room. The error is an
// *allocator.LimitError when there is none though nothing is left.
func (c *cache) make(key string, flags uint32, n int) (entry, error) {
	for want := max(n, leastEvicted); ; want *= 2 {
		e, err := newEntry(c.heap, key, flags, n)
		var full *allocator.LimitError
		if !errors.As(err, &full) {
			return e, err
		}
		got, err := c.evict(key, want)
		if err != nil {
			return entry{}, err
		}
		if got == 0 {
			return entry{}, full
		}
	}
}

// evict evicts some bytes, of the key's shard first.
func (c *cache) evict(key string, want int) (got int, err error) {
	_, hash := c.shard(key)
	for i := range c.shards {
		s := c.shards[(hash+uint64(i))%uint64(len(c.shards))]
		more, err := s.evict(want - got)
		got += more
		if err != nil || got >= want {
			return got, err
		}
	}
	return got, nil
}

// clear frees all entries.
func (c *cache) clear() error {
	var errs []error
	for _, s := range c.shards {
		_, err := s.evict(math.MaxInt)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
