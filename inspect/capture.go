package inspect

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"unsafe"

	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/inspect/target"
)

// capture is a copy of a heap's metadata, as it was at one moment. Its buffers are used again by the next take, so that a
// process that is held still for it is held no longer than the copying needs.
type capture struct {
	header      layout.Header
	id          layout.Identity // the sound one of the header's two
	sound       bool            // false: neither is, and nothing but the header was read
	schema      []byte
	bins        region
	caches      region
	arenas      region
	pageMap     region
	descriptors region
	records     region
	journals    region
	stacks      region // empty as long as nothing was ever recorded
	guards      region // empty as long as nothing was ever guarded
	headerBytes []byte
}

// NotAHeapError says that the memory does not begin with a heap's header.
type NotAHeapError struct{ Target string }

func (e *NotAHeapError) Error() string {
	return fmt.Sprintf("%s holds no glassheap heap: neither copy of the header's identity begins with the magic word", e.Target)
}

// VersionError says that the heap was made by a glassheap with another memory format.
type VersionError struct {
	Version uint32
	Schema  bool // the version is this one's, but its schema is another
}

func (e *VersionError) Error() string {
	if e.Schema {
		return fmt.Sprintf("the heap's format has version %d like this program's, but another schema: it was made by another build; use the glassheap of that build", e.Version)
	}
	return fmt.Sprintf("the heap's format has version %d; this program reads version %d: use a glassheap of that version", e.Version, layout.Version)
}

// regions are the parts of the metadata that were copied.
func (c *capture) regions() []region {
	all := []region{{start: c.id.Base, bytes: c.headerBytes}}
	for _, r := range []region{c.bins, c.caches, c.arenas, c.pageMap, c.descriptors, c.stacks, c.journals, c.records, c.guards} {
		if len(r.bytes) > 0 {
			all = append(all, r)
		}
	}
	return all
}

// take copies the metadata out of t. The error is a *NotAHeapError, a *VersionError, or says that the memory can't be read;
// damage is no error.
func (c *capture) take(t target.Target) error {
	if c.headerBytes == nil {
		c.headerBytes = make([]byte, layout.HeaderBytes)
	}
	if n, err := t.ReadAt(c.headerBytes, 0); n < int(unsafe.Sizeof(c.header)) {
		if err == nil || errors.Is(err, io.EOF) {
			return &NotAHeapError{t.Description().String()}
		}
		return fmt.Errorf("the header can't be read: %w", err)
	}
	copy(layout.Bytes(&c.header), c.headerBytes)
	first, twin := &c.header.Identity, &c.header.Twin
	if first.Magic != layout.Magic && twin.Magic != layout.Magic {
		return &NotAHeapError{t.Description().String()}
	}
	switch {
	case first.Sum() == first.Checksum:
		c.id, c.sound = *first, true
	case twin.Sum() == twin.Checksum:
		c.id, c.sound = *twin, true
	default:
		c.id, c.sound = *first, false
		return nil
	}
	if c.id.Version != layout.Version {
		return &VersionError{Version: c.id.Version}
	}
	if c.id.SchemaHash != layout.Hash(layout.SchemaText()) {
		return &VersionError{Version: c.id.Version, Schema: true}
	}
	c.schema = c.headerBytes[layout.SchemaOffset:min(layout.SchemaOffset+uint64(c.id.SchemaBytes), layout.HeaderBytes)]
	// The checksum is right, but who wrote it may have lied: what follows must be what it has to be.
	var j layout.Judge
	c.id.Judge(&j, layout.IdentityFacts{Base: t.Base(), Twin: &c.id, SchemaHash: c.id.SchemaHash})
	if len(j.Verdicts) > 0 || c.id.ArenasMax > mostArenas {
		c.sound = false
		return nil
	}
	h, id := &c.header, &c.id
	// One entry more than is in use: a count that is too low shows by what comes after it.
	for _, part := range []struct {
		r     *region
		start uint64
		bytes uint64
	}{
		{&c.bins, uint64(id.Bins), uint64(id.BinCount) * layout.BinBytes},
		{&c.caches, uint64(id.Caches), (min(h.CachesReady, layout.MaxCaches-1) + 1) * layout.CacheBytes},
		{&c.arenas, uint64(id.Arenas), (min(h.ArenasUsed, uint64(id.ArenasMax)-1) + 1) * layout.ArenaDescriptorBytes},
		{&c.pageMap, uint64(id.PageMap), min(h.ArenasUsed, uint64(id.ArenasMax)) * layout.PagesPerArena * layout.PageEntryBytes},
		{&c.descriptors, id.Descriptors, min(max(h.DescriptorsTop, id.Descriptors), id.DescriptorsEnd) - id.Descriptors},
		{&c.records, id.Records, min(max(h.RecordsTop, id.Records), id.RecordsEnd) - id.Records},
		// Of the journal behind the last one only the head is looked at.
		{&c.journals, uint64(id.Journals), min(h.JournalsReady, layout.MaxCaches-1)*layout.JournalBytes + journalHead},
	} {
		certain := uint64(0)
		if part.r == &c.pageMap {
			// The entries of a huge span are zeros, of which there may be any number; its arenas say that they are its own.
			certain = c.arenas.filledEnd() / layout.ArenaDescriptorBytes * layout.PagesPerArena * layout.PageEntryBytes
		}
		if err := part.r.read(t, id.Base, part.start, part.bytes, certain); err != nil {
			return err
		}
	}
	if err := c.takeGuards(t); err != nil {
		return err
	}
	return c.takeStacks(t)
}

// prepare takes the buffers that take needs, by a first copy: the process isn't held still for that. Only take says what is
// wrong.
func (c *capture) prepare(t target.Target) { _ = c.take(t) }

// takeGuards copies the guard pool, if there is one.
func (c *capture) takeGuards(t target.Target) error {
	id := &c.id
	if err := c.guards.read(t, id.Base, uint64(id.Guards), guardPoolHead, 0); err != nil {
		return err
	}
	if used := slices.ContainsFunc(c.guards.bytes, func(b byte) bool { return b != 0 }); !used {
		c.guards.bytes = c.guards.bytes[:0]
		return nil
	}
	return c.guards.read(t, id.Base, uint64(id.Guards), uint64(unsafe.Sizeof(layout.GuardPool{})), 0)
}

// guardPoolHead is how much of a guard pool tells whether it was ever used.
const guardPoolHead = 64

// journalHead is how much of a journal tells whether it is in use.
const journalHead = 64

// takeStacks copies the stack table, after the records: the stacks that they name are there by then.
func (c *capture) takeStacks(t target.Target) error {
	id := &c.id
	if c.header.JournalsReady == 0 && len(c.guards.bytes) == 0 {
		c.stacks.bytes = c.stacks.bytes[:0]
		return nil
	}
	if err := c.stacks.read(t, id.Base, uint64(id.Stacks), layout.StackTableBytes, 0); err != nil {
		return err
	}
	used, _ := get[uint64](c.stacks, uint64(id.Stacks)+uint64(unsafe.Offsetof(layout.StackTable{}.Used)))
	return c.stacks.read(t, id.Base, uint64(id.Stacks), layout.StackTableBytes+min(used, layout.StackTableRoom-layout.StackTableBytes), 0)
}

// mostArenas is how many arenas a heap may have at most: 8 TiB of them, as the allocator's options say.
const mostArenas = 8 << 20
