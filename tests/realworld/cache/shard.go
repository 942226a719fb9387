package main

import (
	"container/list"
	"sync"

	"github.com/glassheap/glassheap/allocator"
)

// shard is a part of the index. On Go's heap each entry has an item and its place in the order, whatever its size.
type shard struct {
	heap  *allocator.Heap
	lock  sync.Mutex
	index map[uint64]*item // by the hash of the key; of two keys with the same one the later entry stays
	order *list.List       // of *item: what was asked for last is in front

	evicted, evictedUnread int
}

// item is an entry of the index, or one that was taken out while it is being sent.
type item struct {
	entry
	hash    uint64
	place   *list.Element
	readers int  // that are sending it
	retired bool // out of the index: the last reader frees it
}

func newShard(heap *allocator.Heap) *shard {
	return &shard{heap: heap, index: map[uint64]*item{}, order: list.New()}
}

// get finds an entry, which stays as it is until done is called.
func (s *shard) get(hash uint64, key string) *item {
	s.lock.Lock()
	defer s.lock.Unlock()
	it := s.index[hash]
	if it == nil || string(it.key()) != key {
		return nil
	}
	it.readers++
	s.order.MoveToFront(it.place)
	return it
}

// done ends what get began.
func (s *shard) done(it *item) error {
	s.lock.Lock()
	defer s.lock.Unlock()
	it.header().reads++
	it.readers--
	return s.release(it)
}

// put takes an entry into the index, in the place of one with the same key.
func (s *shard) put(hash uint64, e entry) error {
	s.lock.Lock()
	defer s.lock.Unlock()
	var err error
	if old := s.index[hash]; old != nil {
		err = s.retire(old)
	}
	it := &item{entry: e, hash: hash}
	it.place = s.order.PushFront(it)
	s.index[hash] = it
	return err
}

// remove takes an entry out. It reports whether there was one.
func (s *shard) remove(hash uint64, key string) (bool, error) {
	s.lock.Lock()
	defer s.lock.Unlock()
	it := s.index[hash]
	if it == nil || string(it.key()) != key {
		return false, nil
	}
	return true, s.retire(it)
}

// evict takes out what was asked for longest ago, some bytes of it. It returns how many bytes these were.
func (s *shard) evict(want int) (got int, err error) {
	s.lock.Lock()
	defer s.lock.Unlock()
	for got < want && s.order.Len() > 0 && err == nil {
		it := s.order.Back().Value.(*item)
		got += len(it.block)
		s.evicted++
		if it.header().reads == 0 {
			s.evictedUnread++
		}
		err = s.retire(it)
	}
	return got, err
}

// retire takes an entry out of the index. The shard's lock is held.
func (s *shard) retire(it *item) error {
	delete(s.index, it.hash)
	s.order.Remove(it.place)
	it.retired = true
	return s.release(it)
}

// release frees an entry that is in nobody's hands any more. The shard's lock is held.
func (s *shard) release(it *item) error {
	if it.retired && it.readers == 0 {
		return s.heap.Free(it.block)
	}
	return nil
}
