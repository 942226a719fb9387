package inspect

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/glassheap/glassheap/allocator/layout"
)

// format is how the structs of a heap lie in its memory: as the schema says that the heap carries. The Go types are those of
// this program; what an older format does not have reads as zero, and nothing is expected of it.
type format struct {
	schema   layout.Schema
	text     []byte // that it was read from
	foreign  bool   // not the format of this program
	audit    bool   // it has records, stacks and journals
	guards   bool   // it has guarded blocks
	aligned  bool   // it knows the geometry aligned
	retained bool   // it knows arenas that are retained
	edges    bool   // it has guarded spans, and the slack pattern behind the last block of each slab

	identity   form[layout.Identity]
	header     form[layout.Header]
	bin        form[layout.Bin]
	cache      form[layout.Cache] // without its magazines
	magazine   form[layout.Magazine]
	arena      form[layout.Arena]
	slab       form[layout.Slab]
	span       form[layout.Span]
	record     form[layout.Record]
	records    form[layout.Records]
	stackTable form[layout.StackTable]
	stack      form[layout.Stack]
	journal    form[layout.Journal]
	guardPool  form[layout.GuardPool]

	first, twin  uint64 // where the identities lie in the header
	checksum     uint64 // where Identity.Checksum lies
	stacksUsed   uint64 // where StackTable.Used lies
	journalReady uint64 // where Journal.Ready lies
	guardsReady  uint64 // where GuardPool.Ready lies
	magazines    array  // of a Cache
	guardSlots   array  // of a GuardPool
	caches       uint64 // that there may be
	stackDepth   uint64 // frames of a stack, at most

	lacks map[string]map[string]bool
	gaps  map[string][][2]uintptr
}

// part is what a format has as a whole or not at all: structs, fields and constants that came together.
type part struct {
	name                       string
	structs, fields, constants []string
	has                        func(f *format) *bool
}

// parts are what was added to the first version of the format: what it had is needed.
var parts = []part{
	{
		name:    "audit",
		structs: []string{"Record", "Records", "StackTable", "Stack", "Event", "Journal"},
		fields: []string{
			"Identity.Stacks", "Identity.Journals", "Identity.Records", "Identity.RecordsEnd",
			"Header.Mode", "Header.JournalsReady", "Header.RecordsTop", "Header.SpanQuarantine", "Header.SpanQuarantineLast", "Header.SpansQuarantined", "Header.QuarantinedPages",
			"Slab.Records", "Span.Recorded", "Span.Record",
		},
		constants: []string{
			"ModeAudit", "StateRecorded", "StateRecordedAligned", "StateQuarantined", "StatePoisoned", "FreshByte", "PoisonByte", "StackBuckets", "StackGrain", "MaxStackDepth",
			"LogEvents", "QuarantineBlocks", "EventAlloc", "EventFree", "SpanQuarantined", "SpanRecorded",
		},
		has: func(f *format) *bool { return &f.audit },
	},
	{
		name:      "guarded blocks",
		structs:   []string{"GuardSlot", "GuardPool"},
		fields:    []string{"Identity.Guards", "Identity.GuardPages"},
		constants: []string{"GuardSlots", "GuardVirgin", "GuardLive", "GuardFreed"},
		has:       func(f *format) *bool { return &f.guards },
	},
	{
		name:      "guarded spans",
		fields:    []string{"Span.Offset", "Span.Guarded"},
		constants: []string{"SpanGuarded"},
		has:       func(f *format) *bool { return &f.edges },
	},
	{
		name:      "aligned classes",
		constants: []string{"GeometryAligned"},
		has:       func(f *format) *bool { return &f.aligned },
	},
	{
		name:      "retained arenas",
		constants: []string{"ArenaRetained"},
		has:       func(f *format) *bool { return &f.retained },
	},
}

// limits are the constants that may differ: how many of something there can be. All others give packed words, states and
// patterns their meaning.
var limits = []string{"MaxBins", "MaxCaches", "MaxStackDepth", "GuardSlots"}

// meanings are what the names of constants begin with that say what a heap's bytes mean. One that this program does not know
// says that there are things in the heap that it would take for damage.
var meanings = []string{"Mode", "Backing", "Geometry", "Seal", "State", "Tally", "Lock", "Arena", "Page", "Slab", "Span", "Link", "Guard", "Event"}

const (
	mostCaches     = 1 << 16
	mostStackDepth = 1 << 12
)

// currentFormat is the format of this program.
var currentFormat = sync.OnceValue(func() *format {
	f, err := formatOf(layout.CurrentSchema())
	if err != nil {
		panic("inspect: the format can't be read by its own schema: " + err.Error())
	}
	f.text = layout.SchemaText()
	return f
})

// formatOf is the format that a schema describes. The error says what this program would need that the schema does not have.
func formatOf(schema layout.Schema) (*format, error) {
	ours := layout.CurrentSchema()
	f := &format{schema: schema, lacks: map[string]map[string]bool{}, gaps: map[string][][2]uintptr{}}
	d := &drafter{theirs: schema, ours: ours, without: map[string]bool{}, lacks: f.lacks, gaps: f.gaps}
	for _, p := range parts {
		if err := f.keep(p, d); err != nil {
			return nil, err
		}
	}
	if err := f.judgeConstants(d); err != nil {
		return nil, err
	}
	f.identity = draft[layout.Identity](d, "Identity", "")
	f.header = draft[layout.Header](d, "Header", "")
	f.bin = draft[layout.Bin](d, "Bin", "")
	f.cache = draft[layout.Cache](d, "Cache", "Magazines")
	f.magazine = draft[layout.Magazine](d, "Magazine", "")
	f.arena = draft[layout.Arena](d, "Arena", "")
	f.slab = draft[layout.Slab](d, "Slab", "")
	f.span = draft[layout.Span](d, "Span", "")
	f.record = draft[layout.Record](d, "Record", "")
	f.records = draft[layout.Records](d, "Records", "")
	f.stackTable = draft[layout.StackTable](d, "StackTable", "")
	f.stack = draft[layout.Stack](d, "Stack", "")
	f.journal = draft[layout.Journal](d, "Journal", "")
	f.guardPool = draft[layout.GuardPool](d, "GuardPool", "")
	f.first, f.twin, f.checksum = d.offset("Header", "Identity"), d.offset("Header", "Twin"), d.offset("Identity", "Checksum")
	f.stacksUsed, f.journalReady, f.guardsReady = d.offset("StackTable", "Used"), d.offset("Journal", "Ready"), d.offset("GuardPool", "Ready")
	f.magazines, f.guardSlots = d.array("Cache", "Magazines"), d.array("GuardPool", "Slots")
	f.caches, f.stackDepth = schema.Constants["MaxCaches"], schema.Constants["MaxStackDepth"]
	if d.problem != nil {
		return nil, d.problem
	}
	delete(f.gaps, "Identity") // which has a checksum
	if f.caches == 0 || f.caches > mostCaches || f.stackDepth > mostStackDepth || f.header.bytes > layout.SchemaOffset {
		return nil, errors.New("it has room for more than any heap has")
	}
	return f, nil
}

// keep finds out whether the format has a part, and notes what of it is missing if not. What has a part only in part is refused:
// there would be no telling what the rest of it means.
func (f *format) keep(p part, d *drafter) error {
	var found, missing []string
	note := func(name string, has bool) {
		if has {
			found = append(found, name)
		} else {
			missing = append(missing, name)
		}
	}
	for _, name := range p.structs {
		_, ok := d.theirs.Struct(name)
		note(name, ok)
	}
	for _, name := range p.fields {
		owner, field, _ := strings.Cut(name, ".")
		t, _ := d.theirs.Struct(owner)
		_, ok := t.Field(field)
		note(name, ok)
	}
	for _, name := range p.constants {
		_, ok := d.theirs.Constants[name]
		note(name, ok)
	}
	if len(missing) > 0 && len(found) > 0 {
		return fmt.Errorf("of what belongs to %s it has %s, but no %s", p.name, found[0], missing[0])
	}
	*p.has(f) = len(missing) == 0
	for _, name := range missing {
		d.without[name] = true
	}
	return nil
}

// judgeConstants expects that the schema's constants are this program's, as far as they give the heap's bytes their meaning.
func (f *format) judgeConstants(d *drafter) error {
	for _, name := range slices.Sorted(maps.Keys(d.ours.Constants)) {
		want := d.ours.Constants[name]
		switch found, ok := d.theirs.Constants[name]; {
		case d.without[name]:
		case !ok:
			return fmt.Errorf("there is no constant %s", name)
		case found != want && !slices.Contains(limits, name):
			return fmt.Errorf("the constant %s is %d, and for this glassheap %d", name, found, want)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(d.theirs.Constants)) {
		if _, known := d.ours.Constants[name]; !known && slices.ContainsFunc(meanings, func(m string) bool { return strings.HasPrefix(name, m) }) {
			return fmt.Errorf("it has the constant %s, which this glassheap does not know", name)
		}
	}
	return nil
}

// schemaOpening is what a stored schema begins with.
var schemaOpening = []byte(`{"version":`)

// storedSchema is the text of the schema behind a header.
func storedSchema(header []byte) []byte {
	if len(header) < layout.SchemaOffset {
		return nil
	}
	text := header[layout.SchemaOffset:]
	if current := layout.SchemaText(); bytes.HasPrefix(text, current) {
		return text[:len(current)]
	}
	var raw json.RawMessage
	d := json.NewDecoder(bytes.NewReader(text))
	if !bytes.HasPrefix(text, schemaOpening) || d.Decode(&raw) != nil {
		return nil
	}
	return text[:d.InputOffset()]
}

// formatBehind is the format that the schema behind a header describes; before, if it is still that.
func formatBehind(header []byte, before *format) (*format, error) {
	if before != nil && before.foreign && bytes.HasPrefix(header[min(layout.SchemaOffset, len(header)):], before.text) {
		return before, nil
	}
	text := storedSchema(header)
	switch {
	case text == nil:
		return nil, errors.New("its schema is damaged")
	case bytes.Equal(text, layout.SchemaText()):
		return currentFormat(), nil
	}
	schema, err := layout.ParseSchema(text)
	if err != nil {
		return nil, err
	}
	f, err := formatOf(schema)
	if err != nil {
		return nil, err
	}
	f.foreign, f.text = true, bytes.Clone(text)
	return f, nil
}

// inWords is how outputs call a format that is not this program's; empty for this program's.
func (f *format) inWords() string {
	switch version := f.schema.Version; {
	case !f.foreign:
		return ""
	case version == layout.Version:
		return fmt.Sprintf("format version %d of another build", version)
	case version > layout.Version:
		return fmt.Sprintf("format version %d, newer than this glassheap", version)
	default:
		return fmt.Sprintf("format version %d", version)
	}
}

// withoutAudit says that a heap of this format keeps nothing of what; empty: the format has audit mode.
func (f *format) withoutAudit(what string) string {
	if f.audit {
		return ""
	}
	return fmt.Sprintf("this heap's format, version %d, keeps no %s", f.schema.Version, what)
}

// sum is the checksum that the identity in these bytes should carry.
func (f *format) sum(identity []byte) uint64 { return layout.Hash(identity[:f.checksum]) }

// slabDescriptorBytes is the size of a Slab with links for capacity blocks.
func (f *format) slabDescriptorBytes(capacity uint32) uint64 {
	return grains(f.slab.bytes + 2*uint64(capacity))
}

// recordArrayBytes is the size of a Records with the records of a slab with this capacity.
func (f *format) recordArrayBytes(capacity uint32) uint64 {
	return grains(f.records.bytes + uint64(capacity)*f.record.bytes)
}

func grains(bytes uint64) uint64 {
	return (bytes + layout.DescriptorGrain - 1) &^ (layout.DescriptorGrain - 1)
}

// stackBytes is the size of a Stack with this many addresses.
func (f *format) stackBytes(depth uint32) uint64 { return f.stack.bytes + 8*uint64(depth) }

// journals is how much of the journals tells what n of them hold, and whether there is one more: of that, only the head.
func (f *format) journals(n uint64) uint64 {
	return n*f.journal.bytes + min(f.journal.bytes, max(f.journalReady+4, headBytes))
}

// guardsHead is how much of a guard pool tells whether it was ever used.
func (f *format) guardsHead() uint64 { return min(f.guardPool.bytes, max(f.guardsReady+8, headBytes)) }

// headBytes is what is read at least of a large struct to see whether it is in use: what its figures take in this program's format.
const headBytes = 64

// guardPages is how many bytes the pages of the guard pool take.
func (f *format) guardPages() uint64 {
	if !f.guards {
		return 0
	}
	return (2*f.guardSlots.count + 1) * layout.PageBytes
}

// place is where the parts of a heap have to lie. The formula is not part of the schema: of a foreign format, the places that
// the identity gives are believed, as far as they are possible.
func (f *format) place(id *layout.Identity) layout.Places {
	if !f.foreign {
		return id.Place()
	}
	at := func(address uint64) uint64 { return address - id.Base }
	p := layout.Places{
		Bins: at(uint64(id.Bins)), Caches: at(uint64(id.Caches)), Arenas: at(uint64(id.Arenas)), PageMap: at(uint64(id.PageMap)),
		Descriptors: at(id.Descriptors), DescriptorsEnd: at(id.DescriptorsEnd), Data: at(id.Data), End: at(id.Data) + uint64(id.ArenasMax)*layout.ArenaBytes,
	}
	if f.audit {
		p.Stacks, p.Journals, p.Records, p.RecordsEnd = at(uint64(id.Stacks)), at(uint64(id.Journals)), at(id.Records), at(id.RecordsEnd)
	}
	if f.guards {
		p.Guards, p.GuardPages = at(uint64(id.Guards)), at(id.GuardPages)
	}
	return p
}

// possible reports whether the parts of a heap can lie where its identity says: each has room for what it can have at most, and
// none lies on another.
func (f *format) possible(id *layout.Identity) bool {
	type extent struct{ start, bytes uint64 }
	p := f.place(id)
	arenas := uint64(id.ArenasMax)
	extents := []extent{
		{0, layout.HeaderBytes}, {p.Bins, uint64(id.BinCount) * f.bin.bytes}, {p.Caches, f.caches * f.cache.bytes}, {p.Arenas, arenas * f.arena.bytes},
		{p.PageMap, arenas * layout.PagesPerArena * layout.PageEntryBytes}, {p.Descriptors, p.DescriptorsEnd - p.Descriptors}, {p.Data, arenas * layout.ArenaBytes},
	}
	if f.audit {
		extents = append(extents, extent{p.Stacks, f.stackTable.bytes}, extent{p.Journals, f.caches * f.journal.bytes}, extent{p.Records, p.RecordsEnd - p.Records})
	}
	if f.guards {
		extents = append(extents, extent{p.Guards, f.guardPool.bytes}, extent{p.GuardPages, f.guardPages()})
	}
	slices.SortFunc(extents, func(a, b extent) int { return cmp.Compare(a.start, b.start) })
	end := uint64(0)
	for _, e := range extents {
		if e.start < end || e.start%layout.PageBytes != 0 || e.start > mostReserve || e.bytes > mostReserve {
			return false
		}
		end = e.start + e.bytes
	}
	return uint64(id.BinCount) <= f.magazines.count && end == p.End && p.Data%layout.ArenaBytes == 0 && id.Base <= -end
}

// mostReserve is how far from its base a heap reaches at most, in bytes.
const mostReserve = 1 << 46

// stackRoom is how many bytes the stack table and its stacks have at most.
func (f *format) stackRoom(id *layout.Identity) uint64 {
	if !f.foreign {
		return layout.StackTableRoom
	}
	p := f.place(id)
	next := p.Data
	for _, start := range []uint64{p.Bins, p.Caches, p.Arenas, p.PageMap, p.Descriptors, p.Journals, p.Records, p.Guards, p.GuardPages} {
		if start > p.Stacks {
			next = min(next, start)
		}
	}
	return next - p.Stacks
}

// structBytes is the size of a struct in the heap's memory.
func (f *format) structBytes(name string) uint64 {
	t, _ := f.schema.Struct(name)
	return t.Bytes
}

// fieldAt is the field of a struct type that lies at an offset; fields of structs inside it are named by their path.
func (f *format) fieldAt(kind string, offset uint64) string {
	t, _ := f.schema.Struct(kind)
	for _, field := range t.Fields {
		if offset < field.Offset || offset-field.Offset >= field.Bytes {
			continue
		}
		if inner := f.fieldAt(field.Kind, offset-field.Offset); inner != "" {
			return field.Name + "." + inner
		}
		if _, count, ok := field.Array(); ok {
			return fmt.Sprintf("%s[%d]", field.Name, (offset-field.Offset)/(field.Bytes/count))
		}
		return field.Name
	}
	return ""
}
