package inspect_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/target"
)

// yesterday are the heaps in testdata/formats: what is known of them.
var yesterday = map[string]struct {
	version uint32
	format  string
	mode    string
	audited bool
	slabs   int
	guarded uint64
}{
	"version1-sealed.snapshot":      {1, "format version 1", "sealed", false, 8, 0},
	"version1-plain-notes.snapshot": {1, "format version 1", "plain", false, 10, 0},
	"version2-audit.snapshot":       {2, "format version 2 of another build", "audit", true, 8, 1},
}

func openYesterday(t testing.TB, name string) target.Target {
	t.Helper()
	from, err := target.OpenSnapshot(filepath.Join("testdata", "formats", name))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, from.Close()) })
	return from
}

// TestHeapsOfYesterdayAnswerEveryQuestion: files that were written by a glassheap of yesterday are healthy, and each question has
// its answer.
func TestHeapsOfYesterdayAnswerEveryQuestion(t *testing.T) {
	for name, want := range yesterday {
		t.Run(name, func(t *testing.T) {
			ctx := context.Background()
			from := openYesterday(t, name)
			check, err := inspect.Check(ctx, from, inspect.CheckOptions{})
			require.NoError(t, err)
			require.Empty(t, check.Findings)
			require.Empty(t, check.Unsettled)
			s := check.Heap
			require.Equal(t, []any{want.version, want.format, want.mode, "replay", want.slabs, 2, uint64(38)}, []any{s.Version, s.Format, s.Mode, s.Name, s.Slabs, s.Spans, s.LiveBlocks})
			require.Equal(t, want.mode != "plain", check.Blocks > 200)

			h, err := inspect.Open(ctx, from)
			require.NoError(t, err)
			structs, err := h.Structs(ctx, inspect.StructsOptions{})
			require.NoError(t, err)
			require.True(t, structs.Healthy())
			for _, j := range structs.Structs {
				for _, v := range j.Verdicts {
					require.False(t, !want.audited && slices.Contains([]string{"Identity.Stacks", "Identity.GuardPages", "Header.JournalsReady", "Header.Mode", "Slab.Records", "Span.Recorded", "Span.Guarded"}, j.Type+"."+v.Field), "%s.%s: version 1 has no such field", j.Name, v.Field)
				}
			}
			math, err := h.Math(ctx)
			require.NoError(t, err)
			require.Zero(t, math.Wrong)
			stats, err := h.Stats(ctx)
			require.NoError(t, err)
			require.Equal(t, []uint64{38, want.guarded}, []uint64{stats.LiveBlocks, stats.Guarded})
			require.NotZero(t, stats.Allocs)
			bins, err := h.Bins(ctx)
			require.NoError(t, err)
			live := uint64(2)
			for _, b := range bins.Bins {
				live += b.Live
			}
			require.Equal(t, 38-want.guarded, live)
			_, err = h.Map(ctx, inspect.MapOptions{Bin: -1})
			require.NoError(t, err)
			leaks, err := h.Leaks(ctx, inspect.LeakOptions{})
			require.NoError(t, err)
			require.EqualValues(t, 38, leaks.Live)
			log, err := h.Log(inspect.LogOptions{})
			require.NoError(t, err)
			if want.audited {
				require.NotEmpty(t, log.Events)
				require.NotEmpty(t, log.Events[0].By.Addresses)
				require.Empty(t, log.Notes)
			} else {
				require.Equal(t, []string{"this heap's format, version 1, keeps no log"}, log.Notes)
				require.Equal(t, []string{"this heap's format, version 1, keeps no record of who allocated"}, leaks.Notes)
			}
			slabs, err := h.Slabs(-1)
			require.NoError(t, err)
			for _, row := range slabs.Slabs {
				blocks, err := h.Blocks(uint64(row.Slab))
				require.NoError(t, err)
				for _, b := range blocks.Blocks {
					w, err := h.Whatis(uint64(b.Address))
					require.NoError(t, err)
					require.Equal(t, b.Address, w.Block.Address)
					require.Nil(t, w.Finding)
					if b.Place == inspect.PlaceLive && want.audited {
						require.NotNil(t, b.Allocated)
					}
				}
				w, err := h.Whatis(uint64(row.Struct))
				require.NoError(t, err)
				require.Equal(t, "Base", w.Field)
				_, err = h.Hexdump(uint64(row.Base), 5000)
				require.NoError(t, err)
			}
			for _, name := range []string{"header", "identity", "twin", "bin 3", "arena 0", "cache 0", "magazine 0.3", "page 0"} {
				_, err := h.Dump(name)
				require.NoError(t, err, name)
			}
			twin, err := h.Dump("twin")
			require.NoError(t, err)
			require.Equal(t, layout.Hex(layout.Magic), twin.Values[0].Value)
			history, err := h.History(uint64(slabs.Slabs[0].Base))
			require.NoError(t, err)
			require.Equal(t, want.audited, len(history.Events) > 0)
		})
	}
}

// TestASnapshotOfASnapshotOfYesterday: the copy holds what the first holds.
func TestASnapshotOfASnapshotOfYesterday(t *testing.T) {
	for name := range yesterday {
		path := filepath.Join(t.TempDir(), "again.snapshot")
		_, err := inspect.Snapshot(context.Background(), openYesterday(t, name), path, inspect.SnapshotOptions{})
		require.NoError(t, err)
		again, err := target.OpenSnapshot(path)
		require.NoError(t, err)
		defer again.Close()
		check, err := inspect.Check(context.Background(), again, inspect.CheckOptions{})
		require.NoError(t, err)
		require.Empty(t, check.Findings)
		require.EqualValues(t, 38, check.Heap.LiveBlocks)
	}
}

// flipped is a target one byte of which has other bits than it had.
type flipped struct {
	target.Target
	offset int64
	bits   byte
}

func (f flipped) ReadAt(p []byte, offset int64) (int, error) {
	n, err := f.Target.ReadAt(p, offset)
	if i := f.offset - offset; i >= 0 && i < int64(n) {
		p[i] ^= f.bits
	}
	return n, err
}

// TestDamageInAHeapOfYesterdayIsFound flips a byte of a heap of version 1 at a time: of its seals, and of every field of one struct
// of each kind, unless the schema says that nothing depends on it.
func TestDamageInAHeapOfYesterdayIsFound(t *testing.T) {
	ctx := context.Background()
	from := openYesterday(t, "version1-sealed.snapshot")
	h, err := inspect.Open(ctx, from)
	require.NoError(t, err)
	base := h.Identity().Base
	find := func(offset uint64) *inspect.CheckReport {
		check, err := inspect.Check(ctx, flipped{from, int64(offset), 0x10}, inspect.CheckOptions{})
		require.NoError(t, err)
		return check
	}
	slabs, err := h.Slabs(-1)
	require.NoError(t, err)
	blocks, err := h.Blocks(uint64(slabs.Slabs[0].Slab))
	require.NoError(t, err)
	for _, b := range blocks.Blocks {
		if b.Place != inspect.PlaceLive {
			continue
		}
		check := find(uint64(b.Address) + uint64(b.Requested) - base)
		require.Len(t, check.Findings, 1)
		require.Equal(t, b.Address, check.Findings[0].Block.Address)
		require.Equal(t, inspect.CodeOverflow, check.Findings[0].Code)
	}
	span := ""
	for _, p := range h.Pieces() {
		if w, err := h.Whatis(p.Start); p.Kind == "Span" && err == nil && strings.HasPrefix(w.Struct, "Span ") {
			span = strings.ToLower(w.Struct)
		}
	}
	for _, name := range []string{"identity", "twin", "header", "bin 3", "arena 0", slabName(slabs.Slabs[0].Slab), span} {
		dump, err := h.Dump(name)
		require.NoError(t, err, name)
		for _, v := range dump.Values {
			if isStatistic(v.Field) || strings.HasPrefix(v.Field, "Identity.") || strings.HasPrefix(v.Field, "Twin.") {
				continue // which has been flipped by its own name
			}
			check := find(uint64(dump.Address) - base + v.Offset)
			require.NotEmpty(t, check.Findings, "%s.%s", name, v.Field)
		}
	}
	for name, offset := range map[string]uint64{"bin 3": 40, span: 63} {
		dump, err := h.Dump(name)
		require.NoError(t, err)
		check := find(uint64(dump.Address) - base + offset)
		require.Len(t, check.Findings, 1, name)
		require.Equal(t, "(unused bytes)", check.Findings[0].Field, "what no field of the schema has is zero")
	}
}

func slabName(page int) string { return fmt.Sprintf("slab %d", page) }

// TestADamagedSchemaOfYesterday: nothing but the schema tells what the bytes mean, so there is no more to say.
func TestADamagedSchemaOfYesterday(t *testing.T) {
	from := openYesterday(t, "version1-sealed.snapshot")
	header := make([]byte, layout.HeaderBytes)
	_, err := from.ReadAt(header, 0)
	require.NoError(t, err)
	role := int64(bytes.Index(header, []byte(`"statistic"`))) // only the hash tells that it was another
	require.Positive(t, role)
	for _, offset := range []int64{layout.SchemaOffset, layout.SchemaOffset + 5, layout.SchemaOffset + 200, role + 3} {
		_, err := inspect.Check(context.Background(), flipped{from, offset, 0x10}, inspect.CheckOptions{})
		var version *inspect.VersionError
		require.ErrorAs(t, err, &version)
		require.EqualValues(t, 1, version.Version)
		require.ErrorContains(t, err, "use the glassheap that its program was built with")
	}
	both := flipped{flipped{from, 40, 1}, 240, 1}
	check, err := inspect.Check(context.Background(), both, inspect.CheckOptions{})
	require.NoError(t, err, "two damaged identities are findings")
	require.NotEmpty(t, check.Findings)
}

// usedImage is the image of a heap that was used in every way, with little of it.
func usedImage(t testing.TB, o allocator.Options) []byte {
	t.Helper()
	o.Name, o.ReserveBytes, o.QuarantineBytes = "relaid", 16<<20, 64<<10
	h := newHeap(t, o)
	defer func() { _ = h.Close() }()
	live := busy(t, h, 3, 3000)
	for _, b := range live[len(live)/3:] {
		require.NoError(t, h.Free(b))
	}
	h.Scavenge()
	busy(t, h, 4, 500)
	return image(t, h)
}

// foreignFormats are formats that differ from this program's, and can be read.
var foreignFormats = map[string]func(s *layout.Schema){
	"fewer caches": func(s *layout.Schema) {},
	"fields moved": func(s *layout.Schema) {
		for _, name := range []string{"Bin", "Magazine", "Cache", "Arena", "Slab", "Span", "Record", "Records", "StackTable", "Stack", "Event", "Journal"} {
			reverse(structOf(s, name))
		}
	},
	"structs grown": func(s *layout.Schema) {
		for _, name := range []string{"Bin", "Magazine", "Cache", "Arena", "Slab", "Span", "Record", "Records", "StackTable", "Event", "Journal", "Header"} {
			grow(s, name, 64)
		}
	},
	"identity grown": func(s *layout.Schema) {
		id := structOf(s, "Identity")
		last := &id.Fields[len(id.Fields)-1]
		id.Fields = slices.Insert(id.Fields, len(id.Fields)-1, layout.SchemaField{Name: "Host", Offset: last.Offset, Bytes: 16, Kind: "text"})
		id.Fields[len(id.Fields)-1].Offset += 16
		id.Bytes += 16
		settle(s)
	},
	"newer": func(s *layout.Schema) {
		s.Version = layout.Version + 1
		s.Constants["MaxColours"] = 7
		s.Structs = append(s.Structs, layout.SchemaStruct{Name: "Colour", Bytes: 8, Fields: []layout.SchemaField{{Name: "Red", Bytes: 8, Kind: "uint"}}})
		grow(s, "Slab", 16)
	},
	"statistics missing": func(s *layout.Schema) {
		remove(structOf(s, "Header"), "Wish", "Armable", "ReserveShortage", "Sequence")
		remove(structOf(s, "Journal"), "Log", "Events")
	},
	"fewer frames": func(s *layout.Schema) { s.Constants["MaxStackDepth"] = 64 },
}

// withoutGuards takes the guarded blocks out of a format: the relaid heaps have none.
func withoutGuards(s *layout.Schema) {
	s.Structs = slices.DeleteFunc(s.Structs, func(t layout.SchemaStruct) bool { return strings.HasPrefix(t.Name, "Guard") })
	remove(structOf(s, "Identity"), "Guards", "GuardPages")
	for _, name := range []string{"GuardSlots", "GuardVirgin", "GuardLive", "GuardFreed"} {
		delete(s.Constants, name)
	}
}

// TestForeignFormatsAreReadByTheirSchema: a heap that is laid out anew as another schema says is found healthy and answers as it did,
// and damage of it is found.
func TestForeignFormatsAreReadByTheirSchema(t *testing.T) {
	ctx := context.Background()
	for mode, o := range map[string]allocator.Options{"sealed": {}, "notes": {Mode: allocator.ModePlain, Geometry: allocator.GeometryNotes}, "audit": {Mode: allocator.ModeAudit}} {
		memory := usedImage(t, o)
		before, err := inspect.Check(ctx, target.FromBytes(memory), inspect.CheckOptions{})
		require.NoError(t, err)
		require.Empty(t, before.Findings)
		for name, change := range foreignFormats {
			t.Run(mode+"/"+name, func(t *testing.T) {
				schema := anotherFormat(func(s *layout.Schema) { withoutGuards(s); change(s) })
				again := relaid(t, memory, schema)
				after, err := inspect.Check(ctx, target.FromBytes(again), inspect.CheckOptions{})
				require.NoError(t, err)
				require.Empty(t, after.Findings)
				require.Equal(t, before.Structs, after.Structs)
				a, b := before.Heap, after.Heap
				require.NotEmpty(t, b.Format)
				require.Equal(t, []any{a.LiveBlocks, a.Slabs, a.Spans, a.Quarantined, a.Mode}, []any{b.LiveBlocks, b.Slabs, b.Spans, b.Quarantined, b.Mode})
				h, err := inspect.Open(ctx, target.FromBytes(again))
				require.NoError(t, err)
				was, err := inspect.Open(ctx, target.FromBytes(memory))
				require.NoError(t, err)
				slabs, err := h.Slabs(-1)
				require.NoError(t, err)
				for _, s := range slabs.Slabs {
					now, err := h.Blocks(uint64(s.Base))
					require.NoError(t, err)
					then, err := was.Blocks(uint64(s.Base))
					require.NoError(t, err)
					require.Equal(t, then.Blocks, now.Blocks)
				}
				if name != "statistics missing" {
					now, err := h.Log(inspect.LogOptions{})
					require.NoError(t, err)
					then, err := was.Log(inspect.LogOptions{})
					require.NoError(t, err)
					require.Equal(t, then.Events, now.Events)
				}
				dump, err := h.Dump(slabName(slabs.Slabs[0].Slab))
				require.NoError(t, err)
				stride := dump.Values[slices.IndexFunc(dump.Values, func(v inspect.Value) bool { return v.Field == "Stride" })]
				again[uint64(dump.Address)-uint64(b.Base)+stride.Offset] ^= 4
				damaged, err := inspect.Check(ctx, target.FromBytes(again), inspect.CheckOptions{})
				require.NoError(t, err)
				require.True(t, slices.ContainsFunc(damaged.Findings, func(f inspect.Finding) bool {
					return f.Field == "Stride" && f.Struct == fmt.Sprintf("Slab %d", slabs.Slabs[0].Slab)
				}), "%+v", damaged.Findings)
			})
		}
	}
}

// TestFormatsThatCantBeRead says of each what is missing.
func TestFormatsThatCantBeRead(t *testing.T) {
	memory := usedImage(t, allocator.Options{})
	for what, change := range map[string]func(s *layout.Schema){
		"struct Slab has no field Links": func(s *layout.Schema) { remove(structOf(s, "Slab"), "Links") },
		"there is no struct Bin": func(s *layout.Schema) {
			s.Structs = slices.DeleteFunc(s.Structs, func(t layout.SchemaStruct) bool { return t.Name == "Bin" })
		},
		"has Record, but no StackTable": func(s *layout.Schema) {
			s.Structs = slices.DeleteFunc(s.Structs, func(t layout.SchemaStruct) bool { return t.Name == "StackTable" })
		},
		"the constant StateFree is 11, and for this": func(s *layout.Schema) { s.Constants["StateFree"] = 11 },
		"the constant MagazineBlocks is 30":          func(s *layout.Schema) { s.Constants["MagazineBlocks"] = 30 },
		"there is no constant SealMultiplier":        func(s *layout.Schema) { delete(s.Constants, "SealMultiplier") },
		"the constant StateBorrowed, which":          func(s *layout.Schema) { s.Constants["StateBorrowed"] = 1 },
		"Slab.State is of the kind Phase": func(s *layout.Schema) {
			t := structOf(s, "Slab")
			t.Fields[slices.IndexFunc(t.Fields, func(f layout.SchemaField) bool { return f.Name == "State" })].Kind = "Phase"
		},
		"Slab.Carved has 4 bytes, and for this glassheap 2": func(s *layout.Schema) {
			t := structOf(s, "Slab")
			remove(t, "Carved")
			t.Fields = append(t.Fields, layout.SchemaField{Name: "Carved", Offset: t.Bytes, Bytes: 4, Kind: "uint"})
			t.Bytes += 64
		},
		"more than any heap has": func(s *layout.Schema) { s.Constants["MaxCaches"] = 1 << 40 },
	} {
		for _, version := range []uint32{1, layout.Version, layout.Version + 1} {
			schema := anotherFormat(func(s *layout.Schema) { withoutGuards(s); s.Version = version })
			again := relaid(t, memory, schema)
			change(&schema)
			text, err := json.Marshal(schema)
			require.NoError(t, err)
			replaceSchema(again, schema, text)
			_, err = inspect.Check(context.Background(), target.FromBytes(again), inspect.CheckOptions{})
			var refused *inspect.VersionError
			require.ErrorAs(t, err, &refused, what)
			require.ErrorContains(t, err, what)
			require.Equal(t, version, refused.Version)
			advice := "use the glassheap that its program was built with"
			if version > layout.Version {
				advice = "use a glassheap that is as new as"
			}
			require.ErrorContains(t, err, advice)
		}
	}
}

// TestPlacesThatCantBe: where the parts of a foreign heap lie, only its identity tells. What it tells has to be possible.
func TestPlacesThatCantBe(t *testing.T) {
	schema := anotherFormat(withoutGuards)
	memory := relaid(t, usedImage(t, allocator.Options{}), schema)
	for what, change := range map[string]func(place func(field string) *uint64){
		"one part on another":     func(place func(string) *uint64) { *place("Caches") = *place("Bins") },
		"before the heap":         func(place func(string) *uint64) { *place("Arenas") = 0 },
		"no page of its own":      func(place func(string) *uint64) { *place("Journals") += 8 },
		"behind the data":         func(place func(string) *uint64) { *place("PageMap") = *place("Data") + 1<<30 },
		"it ends before it is":    func(place func(string) *uint64) { *place("RecordsEnd") = *place("Records") - layout.PageBytes },
		"room for half of it":     func(place func(string) *uint64) { *place("Bins") = *place("Caches") - layout.PageBytes/2 },
		"at the end of memory":    func(place func(string) *uint64) { *place("Stacks") = 1<<64 - layout.PageBytes },
		"data that are not whole": func(place func(string) *uint64) { *place("Data") += layout.PageBytes },
	} {
		changed := bytes.Clone(memory)
		for _, name := range []string{"Identity", "Twin"} {
			words := map[string]*uint64{}
			change(func(field string) *uint64 {
				if words[field] == nil {
					word := binary.LittleEndian.Uint64(changed[identityField(schema, name, field):])
					words[field] = &word
				}
				return words[field]
			})
			for field, word := range words {
				binary.LittleEndian.PutUint64(changed[identityField(schema, name, field):], *word)
			}
		}
		mendChecksums(changed, schema)
		check, err := inspect.Check(context.Background(), target.FromBytes(changed), inspect.CheckOptions{})
		require.NoError(t, err, what)
		require.NotEmpty(t, check.Findings, what)
		require.Equal(t, inspect.CodeHeader, check.Findings[0].Code, what)
		require.Zero(t, check.Heap.LiveBlocks, what)
	}
}

// TestAForeignHeapThatIsCutOff: whatever is missing at its end, there is an answer or an error.
func TestAForeignHeapThatIsCutOff(t *testing.T) {
	schema := anotherFormat(func(s *layout.Schema) { withoutGuards(s); foreignFormats["structs grown"](s) })
	memory := relaid(t, usedImage(t, allocator.Options{Geometry: allocator.GeometryNotes}), schema)
	base := binary.LittleEndian.Uint64(memory[identityField(schema, "Identity", "Base"):])
	for _, field := range []string{"Schema", "Bins", "Caches", "Arenas", "PageMap", "Descriptors", "Records", "Data"} {
		start := binary.LittleEndian.Uint64(memory[identityField(schema, "Identity", field):]) - base
		for _, more := range []uint64{0, 100, 300, 5000} {
			askEverything(base+start, memory[:start+more])
		}
	}
}

// replaceSchema stores another schema in a relaid heap, whose identities lie as schema says, and makes them know it.
func replaceSchema(memory []byte, schema layout.Schema, text []byte) {
	clear(memory[layout.SchemaOffset:layout.HeaderBytes])
	copy(memory[layout.SchemaOffset:], text)
	for _, name := range []string{"Identity", "Twin"} {
		binary.LittleEndian.PutUint32(memory[identityField(schema, name, "SchemaBytes"):], uint32(len(text)))
		binary.LittleEndian.PutUint64(memory[identityField(schema, name, "SchemaHash"):], layout.Hash(text))
	}
	mendChecksums(memory, schema)
}

// mendChecksums makes the checksums of both identities right.
func mendChecksums(memory []byte, schema layout.Schema) {
	for _, name := range []string{"Identity", "Twin"} {
		at := identityField(schema, name, "Checksum")
		binary.LittleEndian.PutUint64(memory[at:], layout.Hash(memory[identityField(schema, name, "Magic"):at]))
	}
}

// identityField is where a field of one of the identities lies in the header.
func identityField(schema layout.Schema, name, field string) uint64 {
	header, _ := schema.Struct("Header")
	id, _ := schema.Struct("Identity")
	place, _ := header.Field(name)
	f, _ := id.Field(field)
	return place.Offset + f.Offset
}
