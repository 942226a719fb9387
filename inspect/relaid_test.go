package inspect_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/target"
)

// relaidCaches is MaxCaches of the formats that heaps are laid out anew in: their metadata take a few MiB only.
const relaidCaches = 64

// relayer writes the heap in an image as one of another format. The data keep their addresses, because the seals depend on them;
// the metadata lie side by side before them.
type relayer struct {
	theirs, ours layout.Schema
	old          []byte
	oldBase      uint64
	moved        map[uint64]uint64 // by where a struct was: where it is now
	new          []byte
	base         uint64
}

// relaid is a heap's image, laid out as schema says. The image has no guarded blocks.
func relaid(t testing.TB, image []byte, schema layout.Schema) []byte {
	t.Helper()
	h, err := inspect.Open(context.Background(), target.FromBytes(image))
	require.NoError(t, err)
	var head layout.Header
	copy(layout.Bytes(&head), image)
	id := &head.Identity
	r := &relayer{theirs: schema, ours: layout.CurrentSchema(), old: image, oldBase: id.Base, moved: map[uint64]uint64{}}

	classes := layout.Classes(id.Geometry, id.SealBytes)
	// Where everything comes to lie. The place of each struct is known before the first is written, since they name each other.
	at := uint64(layout.HeaderBytes)
	part := func(bytes uint64) uint64 {
		start := at
		at += (bytes + 2*layout.PageBytes - 1) &^ (layout.PageBytes - 1)
		return start
	}
	type written struct {
		kind     string
		from, to uint64 // to: an offset
		behind   uint64 // bytes that follow it as they are
	}
	var list []written
	add := func(kind string, from, to, behind uint64) uint64 {
		list = append(list, written{kind, from, to, behind})
		r.moved[from] = to
		return to + r.bytes(kind) + behind
	}
	table := func(kind string, start, oldBytes, entries, room uint64) uint64 {
		to := part(room * r.bytes(kind))
		for i := range entries {
			add(kind, start+i*oldBytes, to+i*r.bytes(kind), 0)
		}
		return to
	}
	places := layout.Places{
		Bins:   table("Bin", uint64(id.Bins), layout.BinBytes, uint64(id.BinCount), uint64(id.BinCount)),
		Caches: table("Cache", uint64(id.Caches), layout.CacheBytes, head.CachesReady, relaidCaches),
		Arenas: table("Arena", uint64(id.Arenas), layout.ArenaDescriptorBytes, head.ArenasUsed, uint64(id.ArenasMax)),
	}
	places.PageMap = part(uint64(id.ArenasMax) * layout.PagesPerArena * layout.PageEntryBytes)
	places.Descriptors = part(4 << 20)
	places.DescriptorsEnd = places.Descriptors + 4<<20
	top := places.Descriptors
	recordsTop := uint64(0)
	_, audited := schema.Struct("Journal")
	if audited {
		places.Records = part(4 << 20)
		places.RecordsEnd = places.Records + 4<<20
		recordsTop = places.Records
	}
	for _, p := range h.Pieces() {
		behind := uint64(0)
		if p.Kind == "Slab" {
			var s layout.Slab
			copy(layout.Bytes(&s), image[p.Start-id.Base:])
			behind = 2 * uint64(classes[s.Bin].Capacity) // behind them it stays zero
			r.moved[uint64(s.Links)] = top + r.bytes("Slab")
			if audited && s.Records != 0 {
				var records layout.Records
				copy(layout.Bytes(&records), image[uint64(s.Records)-id.Base:])
				end := add("Records", uint64(s.Records), recordsTop, 0)
				for i := range uint64(records.Count) {
					end = add("Record", uint64(s.Records)+layout.RecordsBytes+i*layout.RecordBytes, end, 0)
				}
				recordsTop = (end + 63) &^ 63
			}
		}
		top = (add(p.Kind, p.Start, top, behind) + 63) &^ 63
	}
	if audited {
		places.Journals = table("Journal", uint64(id.Journals), layout.JournalBytes, head.JournalsReady, relaidCaches)
		var stacks layout.StackTable
		copy(layout.Bytes(&stacks), image[uint64(id.Stacks)-id.Base:])
		places.Stacks = part(r.bytes("StackTable") + stacks.Used + 1<<20)
		end := add("StackTable", uint64(id.Stacks), places.Stacks, 0)
		for from := uint64(id.Stacks) + layout.StackTableBytes; from < uint64(id.Stacks)+layout.StackTableBytes+stacks.Used; {
			var s layout.Stack
			copy(layout.Bytes(&s), image[from-id.Base:])
			end = add("Stack", from, end, 8*uint64(s.Depth))
			from += layout.StackBytes(s.Depth)
		}
	}
	places.Data = (at + layout.ArenaBytes - 1) &^ (layout.ArenaBytes - 1)
	places.End = places.Data + uint64(id.ArenasMax)*layout.ArenaBytes

	r.base = id.Data - places.Data
	r.new = make([]byte, places.Data+head.ArenasUsed*layout.ArenaBytes)
	copy(r.new[places.Data:], image[id.Data-id.Base:])
	r.moved[id.Base] = 0
	for _, w := range list {
		r.write(w.kind, w.from-id.Base, w.to)
		copy(r.new[w.to+r.bytes(w.kind):][:w.behind], image[w.from-id.Base+r.oldBytes(w.kind):])
	}
	for i := range head.ArenasUsed * layout.PagesPerArena {
		e := layout.PageEntry(binary.LittleEndian.Uint64(image[uint64(id.PageMap)-id.Base+8*i:]))
		if k := e.Kind(); k == layout.PageSlab || k == layout.PageSpan || k == layout.PageGuard {
			e = layout.MakePageEntry(k, e.Bin(), e.Before(), r.moved[id.Descriptors+e.Descriptor()]-places.Descriptors)
		}
		binary.LittleEndian.PutUint64(r.new[places.PageMap+8*i:], uint64(e))
	}
	// The header, and the schema.
	text, err := json.Marshal(schema)
	require.NoError(t, err)
	require.Less(t, len(text), layout.HeaderBytes-layout.SchemaOffset)
	copy(r.new[layout.SchemaOffset:], text)
	r.write("Header", 0, 0)
	r.set("Header", 0, "DescriptorsTop", r.base+top)
	if audited {
		r.set("Header", 0, "RecordsTop", r.base+recordsTop)
	}
	for i := range uint64(id.BinCount) {
		capacity := uint64(classes[i].Capacity)
		r.set("Bin", places.Bins+i*r.bytes("Bin"), "DescriptorBytes", (r.bytes("Slab")+2*capacity+63)&^63)
	}
	for _, name := range []string{"Identity", "Twin"} {
		at := r.offset("Header", name)
		for field, value := range map[string]uint64{
			"Version": uint64(schema.Version), "Base": r.base, "Reserve": places.End, "CachesMax": schema.Constants["MaxCaches"], "Schema": r.base + layout.SchemaOffset,
			"SchemaBytes": uint64(len(text)), "SchemaHash": layout.Hash(text), "Bins": r.base + places.Bins, "Caches": r.base + places.Caches,
			"Arenas": r.base + places.Arenas, "PageMap": r.base + places.PageMap, "Descriptors": r.base + places.Descriptors, "DescriptorsEnd": r.base + places.DescriptorsEnd,
			"Stacks": r.base + places.Stacks, "Journals": r.base + places.Journals, "Records": r.base + places.Records, "RecordsEnd": r.base + places.RecordsEnd,
		} {
			r.set("Identity", at, field, value)
		}
		raw := r.new[at : at+r.offset("Identity", "Checksum")]
		r.set("Identity", at, "Checksum", layout.Hash(raw))
	}
	return r.new
}

func (r *relayer) bytes(kind string) uint64 {
	s, _ := r.theirs.Struct(kind)
	return s.Bytes
}

func (r *relayer) oldBytes(kind string) uint64 {
	s, _ := r.ours.Struct(kind)
	return s.Bytes
}

func (r *relayer) offset(kind, field string) uint64 {
	s, _ := r.theirs.Struct(kind)
	f, _ := s.Field(field)
	return f.Offset
}

// set writes a field of a struct that lies at an offset, if the format has it.
func (r *relayer) set(kind string, at uint64, field string, value uint64) {
	s, _ := r.theirs.Struct(kind)
	if f, ok := s.Field(field); ok {
		var word [8]byte
		binary.LittleEndian.PutUint64(word[:], value)
		copy(r.new[at+f.Offset:][:f.Bytes], word[:])
	}
}

// write writes a struct: what the old one has by the names of its fields, and in fields that are new, something.
func (r *relayer) write(kind string, from, to uint64) {
	theirs, _ := r.theirs.Struct(kind)
	ours, _ := r.ours.Struct(kind)
	for _, f := range theirs.Fields {
		old, ok := ours.Field(f.Name)
		if !ok {
			copy(r.new[to+f.Offset:], bytes.Repeat([]byte{0xee}, int(f.Bytes)))
			continue
		}
		r.field(f, old, from+old.Offset, to+f.Offset)
	}
}

func (r *relayer) field(f, old layout.SchemaField, from, to uint64) {
	if element, count, ok := f.Array(); ok {
		_, oldCount, _ := old.Array()
		for i := range min(count, oldCount) {
			inner := layout.SchemaField{Kind: element, Bytes: f.Bytes / count}
			oldInner := layout.SchemaField{Kind: element, Bytes: old.Bytes / oldCount}
			r.field(inner, oldInner, from+i*oldInner.Bytes, to+i*inner.Bytes)
		}
		return
	}
	if _, ok := r.theirs.Struct(f.Kind); ok {
		r.write(f.Kind, from, to)
		return
	}
	copy(r.new[to:to+f.Bytes], r.old[from:from+min(old.Bytes, f.Bytes)])
	if strings.HasPrefix(f.Kind, "ref:") {
		if link := binary.LittleEndian.Uint64(r.new[to:]); link != 0 {
			if now, ok := r.moved[link]; ok {
				binary.LittleEndian.PutUint64(r.new[to:], r.base+now)
			}
		}
	}
}

// The ways in which a format can differ.

// anotherFormat is this program's schema with room for few caches, and changed.
func anotherFormat(change func(s *layout.Schema)) layout.Schema {
	text := layout.SchemaText()
	s, err := layout.ParseSchema(text) // a copy
	if err != nil {
		panic(err)
	}
	s.Constants["MaxCaches"] = relaidCaches
	change(&s)
	return s
}

func structOf(s *layout.Schema, name string) *layout.SchemaStruct {
	return &s.Structs[slices.IndexFunc(s.Structs, func(t layout.SchemaStruct) bool { return t.Name == name })]
}

// reverse lays the fields of a struct out in the opposite order, without gaps between them.
func reverse(t *layout.SchemaStruct) {
	at := uint64(0)
	slices.Reverse(t.Fields)
	for i := range t.Fields {
		t.Fields[i].Offset = at
		at += t.Fields[i].Bytes
	}
}

// grow moves the fields of a struct up and puts one before them.
func grow(s *layout.Schema, name string, by uint64) {
	t := structOf(s, name)
	for i := range t.Fields {
		t.Fields[i].Offset += by
	}
	t.Fields = append([]layout.SchemaField{{Name: "Fresh", Bytes: 8, Kind: "uint"}}, t.Fields...)
	t.Bytes += by
	settle(s)
}

// settle gives the structs that have others inside them the room for these.
func settle(s *layout.Schema) {
	for i := range slices.Concat(s.Structs, s.Structs, s.Structs) { // as often as they are nested
		i %= len(s.Structs)
		t := &s.Structs[i]
		shift := uint64(0)
		for k := range t.Fields {
			f := &t.Fields[k]
			f.Offset += shift
			kind, count := f.Kind, uint64(1)
			if element, n, ok := f.Array(); ok {
				kind, count = element, n
			}
			if j := slices.IndexFunc(s.Structs, func(t layout.SchemaStruct) bool { return t.Name == kind }); j >= 0 {
				if bytes := count * s.Structs[j].Bytes; bytes != f.Bytes {
					shift += bytes - f.Bytes
					f.Bytes = bytes
				}
			}
		}
		t.Bytes += shift
	}
}

// remove takes a field out of a struct, whose other fields stay where they are.
func remove(t *layout.SchemaStruct, names ...string) {
	t.Fields = slices.DeleteFunc(t.Fields, func(f layout.SchemaField) bool { return slices.Contains(names, f.Name) })
}
