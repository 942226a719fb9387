package gdb

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/allocator/layout"
)

// python runs a script in gdb, with the package loaded, and decodes what it prints.
func python(t *testing.T, script string, result any) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "script.py")
	require.NoError(t, os.WriteFile(file, []byte("import json\nfrom glassheap_gdb import *\nfrom glassheap_gdb import fields, schema, words, questions\n"+script), 0o600))
	transcript := play(t, "source "+file)
	require.NoError(t, json.Unmarshal([]byte(answer(t, transcript, "source "+file)), result), "%s", transcript)
}

// TestPackedWordsAreThoseOfGo holds what the scripts say of packed words and enumerations against the Go originals.
func TestPackedWordsAreThoseOfGo(t *testing.T) {
	t.Parallel()
	needGDB(t)
	random := rand.New(rand.NewPCG(4711, 0))
	type sample struct {
		Address, Secret, Seal, Entry, Tally, Lock string
		Stack, Place, Hash                        string
		Inflow                                    int64
		Link                                      layout.Link
	}
	var samples []sample
	decimal := func(v uint64) string { return fmt.Sprint(v) } // JSON numbers of 64 bits don't survive every reader
	states := []layout.State{
		layout.StateLive, layout.StateAligned, layout.StateFree, layout.StateRecorded, layout.StateRecordedAligned, layout.StateQuarantined, layout.StatePoisoned, 0xe,
	}
	for i := range 300 {
		address, secret := random.Uint64()>>16, random.Uint64()
		seal := layout.MakeSeal(address, secret, random.IntN(70_000), states[i%len(states)])
		if i%5 == 0 {
			seal ^= 1 << random.IntN(64)
		}
		tally, inflow := layout.Tally(random.IntN(5)), int64(3)
		for range random.IntN(50) {
			tally += layout.TallyAlloc
		}
		for range random.IntN(50) {
			tally += layout.TallyFree
		}
		if i%3 == 0 {
			tally ^= 1 << random.IntN(64)
		}
		lock := layout.HeldBy(i)
		if i%4 == 0 {
			lock = layout.Lock(random.Uint64() >> (i % 64))
		}
		place, hash := random.Uint64N(layout.StackTableRoom-layout.StackTableBytes)&^(layout.StackGrain-1), random.Uint64()
		stack := layout.RefStack(place, hash)
		if i%2 == 0 {
			stack ^= 1 << random.IntN(32)
		}
		samples = append(samples, sample{decimal(address), decimal(secret), decimal(uint64(seal)), decimal(random.Uint64()), decimal(uint64(tally)), decimal(uint64(lock)), decimal(uint64(stack)), decimal(place), decimal(hash), inflow, layout.Link(random.Uint32())})
	}
	samples = append(samples, sample{"0", "0", "0", "0", "0", "0", "1", "0", "0", 0, layout.LinkVirgin}, sample{"0", "0", "0", "0", "0", "0", "1", "0", "0", -5, layout.LinkOut},
		sample{"0", "0", "0", "0", "0", "0", "1", "0", "0", 0, layout.LinkEnd}, sample{"0", "0", "0", "0", "0", "0", "1", "0", "0", 0, layout.LinkWithdrawn})
	text, err := json.Marshal(samples)
	require.NoError(t, err)
	var found []struct {
		Belongs, Live, Free, Recorded    bool
		Poisoned, Names                  bool
		State, Size, Place               uint64
		Kind, Bin, Before, Descriptor    uint64
		Count                            int
		Totals                           []uint64
		Lock, Link                       string
		Mode, Backing, Arena, Page, Slab string
		Span, Block, Geometry, Event     string
		Guard                            string
	}
	python(t, "samples = json.loads('''"+string(text)+"''')\n"+`
layout = schema._shipped()
found = []
for i, s in enumerate(samples):
    seal, entry = words.Seal(layout, int(s["Seal"])), words.PageEntry(layout, int(s["Entry"]))
    stack = words.StackName(layout, int(s["Stack"]))
    word = lambda kind: words.word(layout, kind, i % 17)
    found.append({
        "Belongs": seal.belongs(int(s["Address"]), int(s["Secret"])), "Live": seal.live(), "Free": seal.free(), "State": seal.state, "Size": seal.size,
        "Recorded": seal.recorded(), "Poisoned": seal.poisoned(), "Names": stack.names(int(s["Hash"])), "Place": stack.offset,
        "Kind": entry.kind, "Bin": entry.bin, "Before": entry.before, "Descriptor": entry.descriptor,
        "Count": words.tally_count(int(s["Tally"])), "Totals": words.tally_totals(layout, int(s["Tally"]), s["Inflow"]),
        "Lock": words.lock_in_words(layout, int(s["Lock"])), "Link": words.link_in_words(layout, s["Link"]),
        "Mode": word("Mode"), "Backing": word("Backing"), "Arena": word("ArenaState"), "Page": word("PageKind"), "Slab": word("SlabState"),
        "Span": word("SpanState"), "Block": word("State"), "Geometry": word("Geometry"), "Event": word("EventKind"), "Guard": word("GuardState"),
    })
print(json.dumps(found))
`, &found)
	require.Len(t, found, len(samples))
	for i, s := range samples {
		f := found[i]
		number := func(text string) (v uint64) {
			_, err := fmt.Sscan(text, &v)
			require.NoError(t, err)
			return v
		}
		seal := layout.Seal(number(s.Seal))
		require.Equal(t, seal.Belongs(number(s.Address), number(s.Secret)), f.Belongs, "%+v", s)
		require.Equal(t, seal.State().Live(), f.Live)
		require.Equal(t, seal.State().Free(), f.Free)
		require.Equal(t, seal.State().Recorded(), f.Recorded)
		require.Equal(t, seal.State().Poisoned(), f.Poisoned)
		require.EqualValues(t, seal.State(), f.State)
		require.EqualValues(t, seal.Size(), f.Size)
		stack := layout.StackRef(number(s.Stack))
		if stack&(1<<22-1) != 0 {
			require.Equal(t, stack.Offset(), f.Place)
			require.Equal(t, stack == layout.RefStack(stack.Offset(), number(s.Hash)), f.Names, "%+v", s)
		}
		entry := layout.PageEntry(number(s.Entry))
		require.Equal(t, []uint64{uint64(entry.Kind()), uint64(entry.Bin()), uint64(entry.Before()), entry.Descriptor()}, []uint64{f.Kind, f.Bin, f.Before, f.Descriptor})
		tally := layout.Tally(number(s.Tally))
		require.Equal(t, tally.Count(), f.Count)
		if allocs, frees, ok := tally.Totals(s.Inflow); ok {
			require.Equal(t, []uint64{allocs, frees}, f.Totals, "%+v", s)
		} else {
			require.Nil(t, f.Totals, "%+v", s)
		}
		lock := layout.Lock(number(s.Lock))
		switch {
		case !lock.Held():
			require.Equal(t, "free", f.Lock)
		case lock.Valid(1 << 31):
			require.Equal(t, fmt.Sprintf("held by %d", uint32(lock)), f.Lock)
		default:
			require.Contains(t, f.Lock, "damaged")
		}
		if next, ok := s.Link.Next(); ok {
			require.Equal(t, fmt.Sprintf("free, then block %d", next), f.Link)
		} else {
			require.NotContains(t, f.Link, "then block")
		}
		v := uint32(i % 17)
		require.Equal(t, []string{
			layout.Mode(v).String(), layout.Backing(v).String(), layout.ArenaState(v).String(), layout.PageKind(v).String(), layout.SlabState(v).String(),
			layout.SpanState(v).String(), layout.State(v).String(), layout.Geometry(v).String(), layout.EventKind(v).String(), layout.GuardState(v).String(),
		}, []string{f.Mode, f.Backing, f.Arena, f.Page, f.Slab, f.Span, f.Block, f.Geometry, f.Event, f.Guard}, "value %d", v)
	}
}

// TestEveryNameOfTheFormatExists fails when a field or a constant is renamed in Go and a script still names the old one.
func TestEveryNameOfTheFormatExists(t *testing.T) {
	t.Parallel()
	needGDB(t)
	var named struct {
		Fields, Program map[string]string
		Constants       string
	}
	python(t, `print(json.dumps({"Fields": fields.FIELDS, "Program": fields.PROGRAM_FIELDS, "Constants": fields.CONSTANTS}))`, &named)
	known := map[string]bool{}
	for name, names := range named.Fields {
		s, ok := layout.CurrentSchema().Struct(name)
		require.True(t, ok, "fields.py names a struct %s", name)
		for _, field := range strings.Fields(names) {
			known[field] = true
			require.Contains(t, fieldsOf(s), field, "fields.py names %s.%s", name, field)
		}
	}
	for name, names := range named.Program {
		kind := map[string]reflect.Type{"Heap": reflect.TypeFor[allocator.Heap](), "Violation": reflect.TypeFor[allocator.Violation]()}[name]
		for _, field := range strings.Fields(names) {
			known[field] = true
			_, ok := kind.FieldByName(field)
			require.True(t, ok, "fields.py names allocator.%s.%s", name, field)
		}
	}
	constants := map[string]bool{}
	for _, name := range strings.Fields(named.Constants) {
		constants[name] = true
		require.Contains(t, layout.CurrentSchema().Constants, name)
	}
	// What the scripts read is what fields.py lists: x.Field, x["Field"], and layout("Constant") in their syntax trees.
	var uses [][3]string
	python(t, `
import ast, glob, os
modules = {"gdb", "subprocess", "collections", "resource", "tempfile", "os", "re", "sys", "printers", "heap", "blocks", "image", "words", "printing", "structs", "needs", "finding", "unfolding", "stacks", "frames", "audit_structs", "guard_structs"}
uses = []
for path in sorted(glob.glob(os.path.join(os.path.dirname(fields.__file__), "*.py"))):
    with open(path, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and not (isinstance(node.value, (ast.Name, ast.Attribute)) and getattr(node.value, "id", getattr(node.value, "attr", "")) in modules):
            uses.append((os.path.basename(path), "field", node.attr))
        elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str):
            uses.append((os.path.basename(path), "field", node.slice.value))
        elif isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "layout" and isinstance(node.args[0], ast.Constant):
            uses.append((os.path.basename(path), "constant", node.args[0].value))
print(json.dumps([use for use in uses if use[2][:1].isupper()]))
`, &uses)
	used := map[string]bool{}
	for _, use := range uses {
		path, kind, name := use[0], use[1], use[2]
		used[name] = true
		_, isStruct := named.Fields[name]
		switch {
		case kind == "constant":
			require.True(t, constants[name], "%s reads the constant %s, which fields.py does not list", path, name)
		default:
			require.True(t, known[name] || isStruct, "%s reads %s, which fields.py does not list", path, name)
		}
	}
	for name := range known {
		// Descriptors and the other tables are asked for by name.
		require.True(t, used[name] || strings.ToLower(name) == name, "fields.py lists %s, which nobody reads", name)
	}
	for name := range constants {
		require.True(t, used[name] || name == "PageSlab", "fields.py lists the constant %s, which nobody reads", name)
	}
}

func fieldsOf(s layout.SchemaStruct) (names []string) {
	for _, f := range s.Fields {
		names = append(names, f.Name)
	}
	return names
}

// TestOtherSchemas: a schema whose fields lie elsewhere is followed; one that lacks a field, or lies, is not used.
func TestOtherSchemas(t *testing.T) {
	t.Parallel()
	needGDB(t)
	var found []bool
	python(t, `
import os
with open(os.path.join(os.path.dirname(schema.__file__), "schema.json"), encoding="utf-8") as file:
    text = file.read()
parsed = schema._parse(text)
found = [parsed["Slab"]["Capacity"].offset == parsed["Slab"].fields["Capacity"].offset]
for wrong in (
    text.replace('"Capacity"', '"Capacities"'),
    text.replace('"bytes":8', '"bytes":99999999', 1),
    text.replace('"offset":8', '"offset":-8', 1),
    text.replace('"offset":8', '"offset":"8"', 1),
    text.replace('"PageSlab"', '"PageSlap"'),
    text[:-1], "", "[]", "{}", "[" * 100000, '{"structs":7}',
):
    found.append(schema._parse(wrong) is None)
print(json.dumps(found))
`, &found)
	for i, ok := range found {
		require.True(t, ok, "case %d", i)
	}
	require.Len(t, found, 12)
}

// TestAHeapOfAnotherVersionIsRefused: its schema lacks what these scripts need, and theirs does not fit it.
func TestAHeapOfAnotherVersionIsRefused(t *testing.T) {
	t.Parallel()
	needGDB(t)
	var said []string
	python(t, `
import os
with open(os.path.join(os.path.dirname(schema.__file__), "schema.json"), encoding="utf-8") as file:
    text = file.read()
shipped, said = schema._shipped(), []
for version, missing in ((1, '"Mode"'), (99, '"PageSlab"'), (shipped.version, '"Mode"')):
    other = text.replace('"version":{}'.format(shipped.version), '"version":{}'.format(version), 1).replace(missing, '"Other"')
    try:
        schema.layout_of(bytes(4096) + other.encode())
        said.append("")
    except schema.Problem as problem:
        said.append(str(problem))
print(json.dumps(said))
`, &said)
	require.Len(t, said, 3)
	require.Contains(t, said[0], "the heap's format has version 1, and these scripts need version 2: its schema has no Header.Mode; use the glassheap that")
	require.Contains(t, said[1], "version 99")
	require.Contains(t, said[1], "PageSlab")
	require.Empty(t, said[2], "damage, where the schema that came with the scripts is the heap's")
}

// TestDWARFAndSchemaAgree: where both are, they say the same.
func TestDWARFAndSchemaAgree(t *testing.T) {
	t.Parallel()
	needGDB(t)
	var all []string
	for _, s := range layout.CurrentSchema().Structs {
		all = append(all, s.Name)
	}
	names, err := json.Marshal(all)
	require.NoError(t, err)
	script := filepath.Join(t.TempDir(), "dwarf.py")
	require.NoError(t, os.WriteFile(script, []byte(`
import json, gdb
found = {}
for name in `+string(names)+`:
    kind = gdb.lookup_type("github.com/glassheap/glassheap/allocator/layout." + name)
    found[name] = {"": kind.sizeof, **{f.name: f.bitpos // 8 for f in kind.fields() if f.name != "_"}}
print(json.dumps(found))
`), 0o600))
	for _, build := range []func(*testing.T) string{victim, unoptimisedVictim} {
		var found map[string]map[string]uint64
		require.NoError(t, json.Unmarshal([]byte(answer(t, play(t, "source "+script, build(t)), "source "+script)), &found))
		for _, s := range layout.CurrentSchema().Structs {
			want := map[string]uint64{"": s.Bytes}
			for _, f := range s.Fields {
				want[f.Name] = f.Offset
			}
			require.Equal(t, want, found[s.Name], s.Name)
		}
	}
}
