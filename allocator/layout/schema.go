package layout

import (
	"cmp"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Schema describes the format to a reader that doesn't have these Go types: each struct with its fields, and the constants
// that give the packed words their meaning. It is stored behind the Header as JSON, so that every heap explains itself.
type Schema struct {
	Version   uint32            `json:"version"`
	Structs   []SchemaStruct    `json:"structs"`
	Constants map[string]uint64 `json:"constants"`
}

// SchemaStruct is one struct of the format.
type SchemaStruct struct {
	Name   string        `json:"name"`
	Bytes  uint64        `json:"bytes"`
	Fields []SchemaField `json:"fields"`
}

// SchemaField is one field: its place and size in bytes, and its kind. The kinds are uint, int, text, ref:T (an address of a
// T), array:T:N (N of the struct T), and the name of a packed word or of an enumeration.
type SchemaField struct {
	Name   string `json:"name"`
	Offset uint64 `json:"offset"`
	Bytes  uint64 `json:"bytes"`
	Kind   string `json:"kind"`
	Role   string `json:"role,omitempty"` // "statistic": nothing depends on it; "address"
}

// structs lists every struct of the format, in the order of the schema.
var structs = []reflect.Type{
	reflect.TypeFor[Identity](), reflect.TypeFor[Header](), reflect.TypeFor[Bin](), reflect.TypeFor[Magazine](),
	reflect.TypeFor[Cache](), reflect.TypeFor[Arena](), reflect.TypeFor[Slab](), reflect.TypeFor[Span](),
	reflect.TypeFor[Record](), reflect.TypeFor[Records](), reflect.TypeFor[StackTable](), reflect.TypeFor[Stack](), reflect.TypeFor[Event](), reflect.TypeFor[Journal](), reflect.TypeFor[GuardSlot](), reflect.TypeFor[GuardPool](),
}

// CurrentSchema is the schema of this version, derived from the Go types.
var CurrentSchema = sync.OnceValue(func() Schema {
	s := Schema{Version: Version, Constants: constants()}
	for _, t := range structs {
		s.Structs = append(s.Structs, describe(t))
	}
	return s
})

// SchemaText is CurrentSchema as it is stored in the memory of a heap.
var SchemaText = sync.OnceValue(func() []byte {
	text, err := json.Marshal(CurrentSchema())
	if err != nil {
		panic("layout: the schema can't be written: " + err.Error())
	}
	return text
})

// ParseSchema reads a stored schema. It refuses what no heap can have written: fields outside their struct or on top of each
// other, sizes of zero, arrays that are no whole number of elements, structs inside themselves. So whoever follows it comes to
// an end, inside the struct.
func ParseSchema(text []byte) (Schema, error) {
	var s Schema
	if err := json.Unmarshal(text, &s); err != nil {
		return Schema{}, fmt.Errorf("the schema in the header is not readable: %w", err)
	}
	for i, t := range s.Structs {
		if t.Bytes == 0 || t.Bytes > 1<<20 {
			return Schema{}, fmt.Errorf("the schema gives struct %s %d bytes", t.Name, t.Bytes)
		}
		if slices.ContainsFunc(s.Structs[:i], func(before SchemaStruct) bool { return before.Name == t.Name }) {
			return Schema{}, fmt.Errorf("the schema has two structs %s", t.Name)
		}
		if err := s.judgeFields(t); err != nil {
			return Schema{}, err
		}
	}
	return s, nil
}

// judgeFields expects that the fields of a struct lie side by side in it, each once, and that one that is a struct of the schema,
// or several of one, has the size for it. A struct is smaller than one that has others beside it; one that holds just another
// of its size is refused, so that nothing is inside itself.
func (s Schema) judgeFields(t SchemaStruct) error {
	names := map[string]bool{}
	for _, f := range t.Fields {
		if f.Bytes == 0 || f.Offset > t.Bytes || f.Bytes > t.Bytes-f.Offset {
			return fmt.Errorf("the schema puts %s.%s at %d..%d of a struct of %d bytes", t.Name, f.Name, f.Offset, f.Offset+f.Bytes, t.Bytes)
		}
		if names[f.Name] {
			return fmt.Errorf("the schema has two fields %s.%s", t.Name, f.Name)
		}
		names[f.Name] = true
		kind, size := f.Kind, f.Bytes
		if element, count, ok := f.Array(); ok {
			if f.Bytes%count != 0 {
				return fmt.Errorf("the schema gives %s.%s %d bytes for %d elements", t.Name, f.Name, f.Bytes, count)
			}
			kind, size = element, f.Bytes/count
		}
		if inner, ok := s.Struct(kind); ok && (inner.Bytes != size || size == t.Bytes) {
			return fmt.Errorf("the schema gives %s.%s %d bytes, and struct %s has %d", t.Name, f.Name, size, kind, inner.Bytes)
		}
	}
	end, last := uint64(0), ""
	for _, f := range slices.SortedFunc(slices.Values(t.Fields), func(a, b SchemaField) int { return cmp.Compare(a.Offset, b.Offset) }) {
		if f.Offset < end {
			return fmt.Errorf("the schema puts %s.%s on top of %s", t.Name, f.Name, last)
		}
		end, last = f.Offset+f.Bytes, f.Name
	}
	return nil
}

// Struct finds a struct by its name.
func (s Schema) Struct(name string) (SchemaStruct, bool) {
	for _, t := range s.Structs {
		if t.Name == name {
			return t, true
		}
	}
	return SchemaStruct{}, false
}

// Field finds a field by its name.
func (t SchemaStruct) Field(name string) (SchemaField, bool) {
	for _, f := range t.Fields {
		if f.Name == name {
			return f, true
		}
	}
	return SchemaField{}, false
}

// Gaps are the ranges of the struct that belong to no field: nothing is ever written there.
func (t SchemaStruct) Gaps() (ranges [][2]uintptr) {
	end := uint64(0)
	for _, f := range slices.SortedFunc(slices.Values(t.Fields), func(a, b SchemaField) int { return cmp.Compare(a.Offset, b.Offset) }) {
		if f.Offset > end {
			ranges = append(ranges, [2]uintptr{uintptr(end), uintptr(f.Offset)})
		}
		end = f.Offset + f.Bytes
	}
	if end < t.Bytes {
		ranges = append(ranges, [2]uintptr{uintptr(end), uintptr(t.Bytes)})
	}
	return ranges
}

// Array takes the kind of an array apart: the kind of its elements and their number, which is not 0.
func (f SchemaField) Array() (element string, count uint64, ok bool) {
	rest, ok := strings.CutPrefix(f.Kind, "array:")
	colon := strings.LastIndexByte(rest, ':')
	if !ok || colon < 0 {
		return "", 0, false
	}
	count, err := strconv.ParseUint(rest[colon+1:], 10, 32)
	return rest[:colon], count, err == nil && count > 0
}

func describe(t reflect.Type) SchemaStruct {
	s := SchemaStruct{Name: t.Name(), Bytes: uint64(t.Size())}
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Name == "_" {
			continue
		}
		s.Fields = append(s.Fields, SchemaField{
			Name: f.Name, Offset: uint64(f.Offset), Bytes: uint64(f.Type.Size()), Kind: kindOf(f.Type), Role: f.Tag.Get("layout"),
		})
	}
	return s
}

func kindOf(t reflect.Type) string {
	name := t.Name()
	if target, ok := strings.CutPrefix(name, "Ref["); ok {
		return "ref:" + strings.TrimSuffix(target[strings.LastIndexByte(target, '.')+1:], "]")
	}
	switch t.Kind() {
	case reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			return "text"
		}
		return fmt.Sprintf("array:%s:%d", kindOf(t.Elem()), t.Len())
	case reflect.Struct:
		return name
	case reflect.Int64, reflect.Int32:
		return "int"
	}
	if t.PkgPath() != "" {
		return name
	}
	return "uint"
}

func constants() map[string]uint64 {
	return map[string]uint64{
		"Magic": Magic, "HeaderBytes": HeaderBytes, "PageBytes": PageBytes, "ArenaBytes": ArenaBytes, "MaxBins": MaxBins, "MaxCaches": MaxCaches,
		"MagazineBlocks": MagazineBlocks, "DescriptorGrain": DescriptorGrain,
		"ModePlain": uint64(ModePlain), "ModeSealed": uint64(ModeSealed), "ModeAudit": uint64(ModeAudit),
		"BackingMemfd": uint64(BackingMemfd), "BackingFile": uint64(BackingFile), "BackingAnonymous": uint64(BackingAnonymous),
		"GeometryDefault": uint64(GeometryDefault), "GeometryNotes": uint64(GeometryNotes), "GeometryAligned": uint64(GeometryAligned),
		"SealMultiplier": sealMultiplier, "SealSizeMultiplier": SealSizeMultiplier, "SealHashMask": SealHashMask, "StateLive": uint64(StateLive), "StateAligned": uint64(StateAligned), "StateFree": uint64(StateFree),
		"StateRecorded": uint64(StateRecorded), "StateRecordedAligned": uint64(StateRecordedAligned), "StateQuarantined": uint64(StateQuarantined), "StatePoisoned": uint64(StatePoisoned),
		"FreshByte": FreshByte, "PoisonByte": PoisonByte, "StackBuckets": StackBuckets, "StackGrain": StackGrain, "MaxStackDepth": MaxStackDepth, "LogEvents": LogEvents, "QuarantineBlocks": QuarantineBlocks,
		"GuardSlots": GuardSlots, "GuardVirgin": uint64(GuardVirgin), "GuardLive": uint64(GuardLive), "GuardFreed": uint64(GuardFreed), "EventAlloc": uint64(EventAlloc), "EventFree": uint64(EventFree),
		"SlackByte": SlackByte, "LockTag": lockTag,
		"TallyAllocStep": allocStep, "TallyFreeStep": freeStep, "TallyStepInverse": stepInverse, "TallyLimit": tallyLimit,
		"ArenaUnmapped": uint64(ArenaUnmapped), "ArenaPages": uint64(ArenaPages), "ArenaHuge": uint64(ArenaHuge), "ArenaHugeTail": uint64(ArenaHugeTail), "ArenaRetained": uint64(ArenaRetained),
		"PageFree": uint64(PageFree), "PageDirty": uint64(PageDirty), "PageSlab": uint64(PageSlab), "PageSpan": uint64(PageSpan), "PageGuard": uint64(PageGuard),
		"SlabMaking": uint64(SlabMaking), "SlabActive": uint64(SlabActive), "SlabRetired": uint64(SlabRetired),
		"SpanMaking": uint64(SpanMaking), "SpanLive": uint64(SpanLive), "SpanRetired": uint64(SpanRetired), "SpanQuarantined": uint64(SpanQuarantined), "SpanRecorded": SpanRecorded, "SpanGuarded": SpanGuarded,
		"LinkVirgin": uint64(LinkVirgin), "LinkOut": uint64(LinkOut), "LinkEnd": uint64(LinkEnd), "LinkWithdrawn": uint64(LinkWithdrawn), "NoBlock": NoBlock,
	}
}
