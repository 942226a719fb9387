package inspect

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"unsafe"

	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/inspect/target"
)

// capture is a copy of a heap's metadata, as it was at one moment. Its buffers are used again by the next take, so that a
// process that is held still for it is held no longer than the copying needs.
type capture struct {
	format      *format
	header      layout.Header
	sum         uint64          // that the header's Identity should carry
	twinSum     uint64          // likewise its Twin
	id          layout.Identity // the sound one of the two
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

// VersionError says that the heap was made by a glassheap with another memory format, and that the schema which it carries does
// not tell this program all that it needs.
type VersionError struct {
	Version uint32
	Reason  error // what the schema lacks, or what is wrong with it
}

// Error says what is missing, and what to do.
func (e *VersionError) Error() string {
	advice := "use the glassheap that its program was built with"
	other := fmt.Sprintf("version %d; this program has version %d", e.Version, layout.Version)
	switch {
	case e.Version > layout.Version:
		advice = "use a glassheap that is as new as the one that its program was built with"
	case e.Version == layout.Version:
		other = fmt.Sprintf("version %d like this program's, but another schema", e.Version)
	}
	return fmt.Sprintf("the heap's format has %s, and can't be read by the schema that the heap carries: %v; %s", other, e.Reason, advice)
}

// Unwrap is the reason.
func (e *VersionError) Unwrap() error { return e.Reason }

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

// equal reports whether another capture has the same bytes.
func (c *capture) equal(other *capture) bool {
	return slices.EqualFunc(c.regions(), other.regions(), func(a, b region) bool { return a.start == b.start && bytes.Equal(a.bytes, b.bytes) })
}

// takeHeader copies the header and finds out in which format it is, and which of its identities is sound.
func (c *capture) takeHeader(t target.Target) error {
	if c.headerBytes == nil {
		c.headerBytes = make([]byte, layout.HeaderBytes)
	}
	n, err := t.ReadAt(c.headerBytes, 0)
	clear(c.headerBytes[n:])
	if n < int(unsafe.Sizeof(c.header)) {
		if err == nil || errors.Is(err, io.EOF) {
			return &NotAHeapError{t.Description().String()}
		}
		return fmt.Errorf("the header can't be read: %w", err)
	}
	before := c.format
	c.readHeader(currentFormat())
	if c.sound && c.id.Version == layout.Version && c.id.SchemaHash == currentSchemaHash() {
		return nil
	}
	magic := c.header.Identity.Magic == layout.Magic || c.header.Twin.Magic == layout.Magic
	version := c.id.Version
	if !c.sound {
		version = binary.LittleEndian.Uint32(c.headerBytes[unsafe.Offsetof(layout.Identity{}.Version):])
	}
	f, err := formatBehind(c.headerBytes, before)
	switch {
	case err == nil && f.foreign:
		c.readHeader(f)
		magic = magic || c.header.Twin.Magic == layout.Magic
		version = f.schema.Version
		if c.sound && c.id.SchemaHash != layout.Hash(f.text) {
			err = errors.New("its schema is damaged")
		}
	case magic && version == layout.Version && !c.sound:
		err = nil // a damaged header of this program's format, or two that are damaged in the same way
	case err == nil && magic && c.sound:
		err = errors.New("its schema is damaged") // it is this program's, and the identity names another
	}
	switch {
	case !magic:
		return &NotAHeapError{t.Description().String()}
	case err != nil:
		return &VersionError{Version: version, Reason: err}
	}
	return nil
}

// readHeader reads the header as one of a format.
func (c *capture) readHeader(f *format) {
	c.format, c.header = f, layout.Header{}
	f.header.fill(&c.header, c.headerBytes)
	c.sum, c.twinSum = f.sum(c.headerBytes[f.first:]), f.sum(c.headerBytes[f.twin:])
	first, twin := &c.header.Identity, &c.header.Twin
	switch {
	case first.Magic == layout.Magic && c.sum == first.Checksum:
		c.id, c.sound = *first, true
	case twin.Magic == layout.Magic && c.twinSum == twin.Checksum:
		c.id, c.sound = *twin, true
	default:
		c.id, c.sound = *first, false
	}
	if !f.audit {
		c.header.Mode = c.id.Mode // which never changed then
	}
}

// currentSchemaHash is the hash of this program's schema.
var currentSchemaHash = sync.OnceValue(func() uint64 { return layout.Hash(layout.SchemaText()) })

// identityFacts is what the header's identity is held against. base is where it was found, or 0.
func (c *capture) identityFacts(base, schemaHash uint64) layout.IdentityFacts {
	return layout.IdentityFacts{
		Base: base, Twin: &c.header.Twin, Sum: c.sum, TwinSum: c.twinSum, SchemaHash: schemaHash,
		Version: c.format.schema.Version, Caches: uint32(c.format.caches), Place: c.format.place,
	}
}

// take copies the metadata out of t. The error is a *NotAHeapError, a *VersionError, or says that the memory can't be read;
// damage is no error.
func (c *capture) take(t target.Target) error { return c.takeBut(t, nil) }

// takeBut is take, but where the door can show the memory, these parts of the descriptors, sorted and apart, may stay as an
// earlier take left them: it is over sooner.
func (c *capture) takeBut(t target.Target, kept []target.Extent) error {
	if err := c.takeHeader(t); err != nil || !c.sound {
		return err
	}
	c.schema = c.headerBytes[layout.SchemaOffset:min(layout.SchemaOffset+uint64(c.id.SchemaBytes), layout.HeaderBytes)]
	h, id, f := &c.header, &c.id, c.format
	// The checksum is right, but who wrote it may have lied: what follows must be what it has to be.
	j := layout.Judge{Lacks: f.lacks["Identity"]}
	facts := c.identityFacts(t.Base(), id.SchemaHash)
	facts.Twin, facts.Sum, facts.TwinSum = id, id.Checksum, id.Checksum
	id.Judge(&j, facts)
	if len(j.Verdicts) > 0 || id.ArenasMax > mostArenas || f.foreign && !f.possible(id) {
		c.sound = false
		return nil
	}
	// One entry more than is in use: a count that is too low shows by what comes after it.
	for _, part := range []struct {
		r     *region
		start uint64
		bytes uint64
	}{
		{&c.bins, uint64(id.Bins), uint64(id.BinCount) * f.bin.bytes},
		{&c.caches, uint64(id.Caches), (min(h.CachesReady, f.caches-1) + 1) * f.cache.bytes},
		{&c.arenas, uint64(id.Arenas), (min(h.ArenasUsed, uint64(id.ArenasMax)-1) + 1) * f.arena.bytes},
		{&c.pageMap, uint64(id.PageMap), min(h.ArenasUsed, uint64(id.ArenasMax)) * layout.PagesPerArena * layout.PageEntryBytes},
		{&c.descriptors, id.Descriptors, min(max(h.DescriptorsTop, id.Descriptors), id.DescriptorsEnd) - id.Descriptors},
		{&c.records, id.Records, min(max(h.RecordsTop, id.Records), id.RecordsEnd) - id.Records},
		// Of the journal behind the last one only the head is looked at.
		{&c.journals, uint64(id.Journals), f.journals(min(h.JournalsReady, f.caches-1))},
	} {
		certain := uint64(0)
		if part.r == &c.pageMap {
			// The entries of a huge span are zeros, of which there may be any number; its arenas say that they are its own.
			certain = c.arenas.filledEnd() / f.arena.bytes * layout.PagesPerArena * layout.PageEntryBytes
		}
		// A top above what the arenas can account for is a lie; check says so by what is below it.
		switch part.r {
		case &c.descriptors:
			part.bytes = min(part.bytes, layout.MostDescriptorBytes(c.arenasThere())+smallRegion)
		case &c.records:
			part.bytes = min(part.bytes, layout.MostRecordBytes(c.arenasThere())+smallRegion)
		}
		if part.r == &c.descriptors && len(kept) > 0 && part.r.readBut(t, id.Base, part.start, part.bytes, kept) {
			continue
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

// arenasThere counts the arenas that were ever used: something is written about each of them.
func (c *capture) arenasThere() (n uint32) {
	for about := range slices.Chunk(c.arenas.bytes, int(c.format.arena.bytes)) {
		if slices.ContainsFunc(about, func(b byte) bool { return b != 0 }) {
			n++
		}
	}
	return n
}

// prepare takes the buffers that take needs, by a first copy: the process isn't held still for that. Only take says what is
// wrong.
func (c *capture) prepare(t target.Target) { _ = c.take(t) }

// takeGuards copies the guard pool, if there is one.
func (c *capture) takeGuards(t target.Target) error {
	id := &c.id
	if !c.format.guards {
		return nil
	}
	if err := c.guards.read(t, id.Base, uint64(id.Guards), c.format.guardsHead(), 0); err != nil {
		return err
	}
	if used := slices.ContainsFunc(c.guards.bytes, func(b byte) bool { return b != 0 }); !used {
		c.guards.bytes = c.guards.bytes[:0]
		return nil
	}
	return c.guards.read(t, id.Base, uint64(id.Guards), c.format.guardPool.bytes, 0)
}

// takeStacks copies the stack table, after the records: the stacks that they name are there by then.
func (c *capture) takeStacks(t target.Target) error {
	id, f := &c.id, c.format
	if c.header.JournalsReady == 0 && len(c.guards.bytes) == 0 {
		c.stacks.bytes = c.stacks.bytes[:0]
		return nil
	}
	if err := c.stacks.read(t, id.Base, uint64(id.Stacks), f.stackTable.bytes, 0); err != nil {
		return err
	}
	used, _ := get[uint64](c.stacks, uint64(id.Stacks)+f.stacksUsed)
	return c.stacks.read(t, id.Base, uint64(id.Stacks), f.stackTable.bytes+min(used, f.stackRoom(id)-f.stackTable.bytes), 0)
}

// mostArenas is how many arenas a heap may have at most: 8 TiB of them, as the allocator's options say.
const mostArenas = 8 << 20
