package render_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/render"
)

// TestJSONKeys: programs read the answers by their keys. The golden files list them, each with the kinds of its values.
func TestJSONKeys(t *testing.T) {
	ctx, m := context.Background(), sessionsImage()
	answers := map[string][]any{}
	add := func(name string) func(answer any, err error) {
		return func(answer any, err error) {
			t.Helper()
			require.NoError(t, err)
			answers[name] = append(answers[name], jsonOf(t, answer))
		}
	}
	ask := func(h *inspect.Heap) {
		add("structs")(h.Structs(ctx, inspect.StructsOptions{}))
		add("math")(h.Math(ctx))
		add("bins")(h.Bins(ctx))
		add("slabs")(h.Slabs(-1))
		add("slabs")(h.Slabs(7))
		add("stats")(h.Stats(ctx))
		add("map")(h.Map(ctx, inspect.MapOptions{Bin: -1}))
		add("hexdump")(h.Hexdump(h.Identity().Base, 16))
	}
	ask(m.open(t))
	ask(freshImage().open(t))
	ask(notesImage().open(t))

	name := m.block(t, inspect.PlaceLive, 50, 9)
	for _, address := range []inspect.Address{name.Address + 18, m.aligned(t).Address, m.span(t, 0).Address, inspect.Address(heapBase), 1} {
		add("whatis")(m.open(t).Whatis(uint64(address)))
	}
	add("blocks")(m.open(t).Blocks(uint64(name.Address)))
	add("blocks")(m.open(t).Blocks(uint64(m.span(t, 0).Address)))
	add("dump")(m.open(t).Dump("magazine 0.6"))
	add("dump")(m.open(t).Dump("page 2"))
	add("check")(m.check(t), nil)
	add("ps")(psReport(), nil)
	add("diff")(diffReport(), nil)
	add("snapshot")(&inspect.SnapshotReport{Heap: m.check(t).Heap, Path: "x"}, nil)

	m.write(t, name.Address+50, 0)
	m.set(t, "bin 6", "Lock", 0x4c4f434b00000000)
	m.set(t, "bin 6", "FreeBlocks", 3)
	m.set(t, "bin 0", "Stride", 17)
	m.set(t, "slab 4", "FreeCount", 59)
	add("check")(m.check(t), nil)
	add("whatis")(m.open(t).Whatis(uint64(name.Address)))
	add("hexdump")(m.open(t).Hexdump(uint64(name.Address), 0))
	add("structs")(m.open(t).Structs(ctx, inspect.StructsOptions{}))
	add("structs")(m.open(t).Structs(ctx, inspect.StructsOptions{MostWrong: 1}))
	add("math")(m.open(t).Math(ctx))
	add("bins")(m.open(t).Bins(ctx))
	add("map")(m.open(t).Map(ctx, inspect.MapOptions{Bin: 6}))
	add("map")(m.open(t).Map(ctx, inspect.MapOptions{Bin: -1, Address: uint64(name.Address)}))

	for name, several := range answers {
		keys := map[string]bool{}
		for _, answer := range several {
			collectKeys(t, keys, "", answer)
		}
		sameAsFile(t, name+".keys.golden", strings.Join(slices.Sorted(maps.Keys(keys)), "\n")+"\n")
	}
}

// jsonOf is an answer as a program reads it.
func jsonOf(t *testing.T, answer any) (value any) {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, render.JSON(&b, answer))
	require.True(t, strings.HasSuffix(b.String(), "}\n"))
	d := json.NewDecoder(&b)
	d.UseNumber()
	require.NoError(t, d.Decode(&value))
	return value
}

// jsonInto reads JSON that is one value.
func jsonInto(r io.Reader, value any) error {
	d := json.NewDecoder(r)
	if err := d.Decode(value); err != nil {
		return err
	}
	if d.More() {
		return errors.New("there is more than one value")
	}
	return nil
}

// addressKeys are the keys whose values are addresses or words of bits.
var addressKeys = []string{"address", "base", "start", "seal_word"}

// collectKeys adds a line for each key: its path, and the kind of its value. Everything that must be true of every value is
// looked at on the way.
func collectKeys(t *testing.T, keys map[string]bool, path string, value any) {
	t.Helper()
	last := path[strings.LastIndex(path, ".")+1:]
	require.Equal(t, strings.ToLower(last), last, "a key with capital letters: %s", path)
	if slices.Contains(addressKeys, last) {
		require.Regexp(t, "^0x[0-9a-f]+$", value, "%s is no address in hexadecimal", path)
	}
	switch v := value.(type) {
	case nil:
		require.Failf(t, "null", "%s is null", path)
	case map[string]any:
		for k, inner := range v {
			collectKeys(t, keys, strings.TrimPrefix(path+"."+k, "."), inner)
		}
	case []any:
		keys[path+" list"] = true
		for _, inner := range v {
			collectKeys(t, keys, path+"[]", inner)
		}
	case json.Number:
		exact, err := v.Float64()
		require.NoError(t, err)
		require.Less(t, exact, float64(1<<53), "%s is too large for a number that every reader keeps: %s", path, v)
		keys[path+" number"] = true
	case string:
		keys[path+" string"] = true
	default:
		keys[fmt.Sprintf("%s %T", path, v)] = true
	}
}

// TestJSONIsReadBack: what check wrote can be read into the struct that it came from, as the replay's watcher does.
func TestJSONIsReadBack(t *testing.T) {
	m := sessionsImage()
	m.write(t, m.block(t, inspect.PlaceLive, 50, 9).Address+50, 0)
	m.set(t, "bin 0", "Stride", 17)
	written := m.check(t)
	var first, second bytes.Buffer
	require.NoError(t, render.JSON(&first, written))
	var read inspect.CheckReport
	require.NoError(t, json.Unmarshal(first.Bytes(), &read))
	require.NoError(t, render.JSON(&second, &read))
	require.Equal(t, first.String(), second.String())
	require.Equal(t, written.Findings, read.Findings)
}
