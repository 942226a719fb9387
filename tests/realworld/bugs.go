// Package realworld holds real programs on glassheap, small ones, and the tests that load them, look at them while they run, kill
// them, and let them die of mistakes that are planted in them:
//
//	cache       a cache server: memcached's protocol, values off-heap, eviction at the heap's limit
//	store       a log-structured store on disk: Redis's protocol, memtables, indexes and filters off-heap
//	serving     what the servers have in common
//	pipeline    CSV to Parquet by Apache Arrow, over HTTP: a module of its own, with its tests
//	bugs        which mistakes are planted where: the one place that says so       bugs.go
//	plant       a command that builds a program with one of them
package realworld

import (
	"context"

	"github.com/glassheap/glassheap/internal/planted"
)

// Bug is a mistake to look for in one of the programs. The programs themselves have none of them.
type Bug struct {
	Name    string
	About   string // the symptom, for somebody who wants to guess
	Program string // the folder
	Mistake planted.Mistake
}

// Bugs are all of them.
var Bugs = []Bug{
	{"terminator", "some entries end a byte behind their block", "cache", planted.Mistake{
		Package: "tests/realworld/cache", File: "entry.go",
		Right: "heap.Alloc(headerBytes + n + len(key) + 1)",
		Wrong: "heap.Alloc(headerBytes + n + len(key))",
	}},
	{"early", "a slow client's value is freed before it has been sent", "cache", planted.Mistake{
		Package: "tests/realworld/cache", File: "shard.go",
		Right: "	it.retired = true\n	return s.release(it)\n",
		Wrong: "	it.retired = true\n	return s.heap.Free(it.block)\n",
	}},
	{"twice", "the server dies when a client hangs up", "cache", planted.Mistake{
		Package: "tests/realworld/cache", File: "connection.go",
		Right: "	if _, err := io.ReadFull(c.in, e.value()); err != nil {\n		return err\n",
		Wrong: "	if _, err := io.ReadFull(c.in, e.value()); err != nil {\n		return errors.Join(err, c.cache.heap.Free(e.block))\n",
	}},
	{"forgotten", "the cache holds fewer entries by the hour", "cache", planted.Mistake{
		Package: "tests/realworld/cache", File: "connection.go",
		Right: `return errors.Join(cache.heap.Free(e.block), c.say("CLIENT_ERROR bad data chunk"))`,
		Wrong: `return c.say("CLIENT_ERROR bad data chunk")`,
	}},
	{"rounded", "the store dies while it writes a segment", "store", planted.Mistake{
		Package: "tests/realworld/store", File: "filter.go",
		Right: "heap.AllocZeroed(int((places + 7) / 8))",
		Wrong: "heap.AllocZeroed(int(places / 8))",
	}},
	{"stale", "the store dies while a slow client reads a range", "store", planted.Mistake{
		Package: "tests/realworld/store", File: "connection.go",
		Right: "now.walk(words[0], words[1], c.pair), now.release())",
		Wrong: "now.release(), now.walk(words[0], words[1], c.pair))",
	}},
	{"again", "the store dies when it merges segments", "store", planted.Mistake{
		Package: "tests/realworld/store", File: "segment.go",
		Right: "if err := c.close(); err != nil ||",
		Wrong: "if err := c.segment.heap.Free(c.block); err != nil ||",
	}},
	{"moved", "the store takes no more writes: an index is damaged as soon as it is there", "store", planted.Mistake{
		Package: "tests/realworld/store", File: "segment_writer.go",
		Right: "	if err := w.places.Append(next); err != nil {\n		return err\n	}\n	before := w.places.Slice()[:w.places.Len()-1]\n	w.end(before)\n",
		Wrong: "	before, err := w.places.Slice(), w.places.Append(next)\n	if err != nil {\n		return err\n	}\n	w.end(before)\n",
	}},
	{"inside", "the store dies when something is read that was written long ago", "store", planted.Mistake{
		Package: "tests/realworld/store", File: "version.go",
		Right: "f.heap.Free(f.block)",
		Wrong: "f.heap.Free(f.value)",
	}},
	{"kept", "the store takes more memory with every segment that it merges", "store", planted.Mistake{
		Package: "tests/realworld/store", File: "segment.go",
		Right: "		s.heap.Free(s.keys),\n		s.heap.Free(s.filter.bits),\n",
		Wrong: "		s.heap.Free(s.keys),\n\n",
	}},
	{"offsets", "a column of texts ends behind its buffer", "pipeline", planted.Mistake{
		Package: "tests/realworld/pipeline", File: "origin.go",
		Right: "mem.Allocate((len(lines) + 1) * arrow.Int32SizeBytes)",
		Wrong: "mem.Allocate(len(lines) * arrow.Int32SizeBytes)",
	}},
	{"fencepost", "a column of texts begins before its buffer", "pipeline", planted.Mistake{
		Package: "tests/realworld/pipeline", File: "origin.go",
		Right: "mem.Allocate(len(lines)*(len(name)+1) + digits(lines))",
		Wrong: "mem.Allocate(len(lines)*(len(name)+1) - 1 + digits(lines))",
	}},
	{"unreleased", "every batch takes memory for good", "pipeline", planted.Mistake{
		Package: "tests/realworld/pipeline", File: "origin.go",
		Right: "	text.Release()\n",
		Wrong: "\n",
	}},
	{"given", "a buffer is released by its maker and by its user", "pipeline", planted.Mistake{
		Package: "tests/realworld/pipeline", File: "origin.go",
		Right: "	return stringArray(len(lines), buffer(mem, offsets), buffer(mem, text))\n",
		Wrong: "	defer buffer(mem, text).Release(); return stringArray(len(lines), buffer(mem, offsets), buffer(mem, text))\n",
	}},
}

// FindBug is the bug of this name.
func FindBug(name string) (Bug, bool) {
	for _, b := range Bugs {
		if b.Name == name {
			return b, true
		}
	}
	return Bug{}, false
}

// Build builds the program in a folder with the bug in it, and with these flags of go build. The clone itself is not changed. It
// returns the program's path.
func (b Bug) Build(ctx context.Context, folder string, flags ...string) (program string, err error) {
	return planted.Build(ctx, folder, "tests/realworld/"+b.Program, b.Mistake, flags...)
}
