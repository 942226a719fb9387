package dlvscripts

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/render"
	"github.com/glassheap/glassheap/inspect/target"
	"github.com/glassheap/glassheap/internal/debugging"
)

// question is one that both sides answer about the same stopped process: as data, as text, or both.
type question struct {
	command  string
	textOnly bool
	answer   func(*inspect.Heap) (any, error)
	text     func(*bytes.Buffer, any) error
}

// look is the same heap, opened by the glassheap command's own code.
func (s *session) look(heap string) (target.Target, *inspect.Heap) {
	t, err := target.OpenProcess(s.pid(), target.Options{Heap: heap})
	require.NoError(s.T, err)
	s.T.Cleanup(func() { t.Close() })
	h, err := inspect.Open(context.Background(), t)
	require.NoError(s.T, err)
	return t, h
}

// questions are those that lists and blocks answer, for one slab and one address.
func questions(slab uint64, address string) []question {
	ctx := context.Background()
	style := render.Style{}
	number := parse(address)
	return []question{
		{"gh_bins", false, func(h *inspect.Heap) (any, error) { return h.Bins(ctx) }, func(w *bytes.Buffer, r any) error {
			return render.Bins(w, r.(*inspect.BinsReport), style, false)
		}},
		{"gh_slabs", false, func(h *inspect.Heap) (any, error) { return h.Slabs(-1) }, func(w *bytes.Buffer, r any) error {
			return render.Slabs(w, r.(*inspect.SlabsReport), style)
		}},
		{fmt.Sprintf("gh_blocks %d", slab), false, func(h *inspect.Heap) (any, error) { return h.Blocks(slab) }, func(w *bytes.Buffer, r any) error {
			return render.Blocks(w, r.(*inspect.BlocksReport), style, false)
		}},
		{"gh_math", false, func(h *inspect.Heap) (any, error) { return h.Math(ctx) }, func(w *bytes.Buffer, r any) error {
			return render.Math(w, r.(*inspect.MathReport), style)
		}},
		{"gh_structs", false, func(h *inspect.Heap) (any, error) { return h.Structs(ctx, inspect.StructsOptions{}) }, nil},
		{"gh_whatis " + address, false, func(h *inspect.Heap) (any, error) { return h.Whatis(number) }, func(w *bytes.Buffer, r any) error {
			return render.Whatis(w, r.(*inspect.WhatisReport), style)
		}},
		{"gh_structs --fields", true, func(h *inspect.Heap) (any, error) { return h.Structs(ctx, inspect.StructsOptions{Most: 8}) }, func(w *bytes.Buffer, r any) error {
			return render.Structs(w, r.(*inspect.StructsReport), style, true)
		}},
		{"gh_map", true, func(h *inspect.Heap) (any, error) { return h.Map(ctx, inspect.MapOptions{Bin: -1, Most: 24}) }, func(w *bytes.Buffer, r any) error {
			return render.Map(w, r.(*inspect.MapReport), style)
		}},
		{fmt.Sprintf("gh_map %s", address), true, func(h *inspect.Heap) (any, error) {
			return h.Map(ctx, inspect.MapOptions{Bin: -1, Address: number, Most: 24})
		}, func(w *bytes.Buffer, r any) error { return render.Map(w, r.(*inspect.MapReport), style) }},
	}
}

func parse(address string) (n uint64) {
	if _, err := fmt.Sscan(address, &n); err != nil {
		panic(err)
	}
	return n
}

// onlyThere are the keys that the glassheap command has and the scripts do not: what only it can know, or measures.
var onlyThere = map[string]bool{"stopped_ns": true, "stops": true}

// differs are the keys whose values may differ: one reads by other ways than the other.
var differs = map[string]bool{"elapsed_ns": true, "bytes": true, "owner": true}

// same holds an answer of the scripts against the command's: the same keys, the same values.
func same(t *testing.T, path string, here, there any) {
	switch there := there.(type) {
	case map[string]any:
		here, ok := here.(map[string]any)
		if !ok {
			t.Fatalf("%s: %v, not %v", path, here, there)
		}
		for key, value := range there {
			found, ok := here[key]
			switch {
			case onlyThere[key]:
			case !ok:
				t.Fatalf("%s: the scripts do not tell %s, which is %v", path, key, value)
			case !differs[key]:
				same(t, path+"."+key, found, value)
			}
		}
		for key, value := range here {
			if _, ok := there[key]; !ok {
				t.Fatalf("%s: the scripts tell %s, which is %v, and the command does not", path, key, value)
			}
		}
	case []any:
		here, ok := here.([]any)
		if !ok || len(here) != len(there) {
			t.Fatalf("%s: %v, not %v", path, here, there)
		}
		for i := range there {
			same(t, fmt.Sprintf("%s[%d]", path, i), here[i], there[i])
		}
	default:
		if here != there {
			t.Fatalf("%s: %v, not %v", path, here, there)
		}
	}
}

// asMap is an answer of the command as JSON shows it.
func asMap(t *testing.T, answer any) (m map[string]any) {
	text, err := json.Marshal(answer)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &m))
	return m
}

// words are those of an answer to gh_check that do not change from run to run: without stacks, which each side names by its own
// means, durations, and commands.
func words(text string) string {
	text = regexp.MustCompile(`(?m)^ *(allocated|freed) by .*\n( {16}.*\n)*`).ReplaceAllString(commandLine.ReplaceAllString(text, ""), "")
	return regexp.MustCompile(`(?m)^checked .*(\n[^\n]+)?\n`).ReplaceAllString(text, "")
}

var commandLine = regexp.MustCompile(`(?m)^next  .*\n`)

// TestTheSameAnswers asks everything that both sides know of healthy heaps, as data and as text.
func TestTheSameAnswers(t *testing.T) {
	t.Parallel()
	s := startHeaps(t, "shop", "several", "notes")
	for i, heap := range []string{"orders", "sessions", "notes"} {
		if i > 0 {
			s.Ask("continue")
		}
		t.Run(heap, func(t *testing.T) {
			chosen := " heap=" + heap
			_, h := s.look(heap)
			slabs, err := h.Slabs(-1)
			require.NoError(t, err)
			for _, q := range questions(uint64(slabs.Slabs[0].Slab), slabs.Slabs[0].Base.String()) {
				expected, err := q.answer(h)
				require.NoError(t, err)
				if !q.textOnly {
					answer := s.Ask(q.command + " --json" + chosen)
					var found map[string]any
					require.NoError(t, json.Unmarshal([]byte(answer), &found), answer)
					same(t, q.command, found, asMap(t, expected))
				}
				if q.text == nil {
					continue
				}
				var text bytes.Buffer
				require.NoError(t, q.text(&text, standing(expected)))
				require.Equal(t, commandLine.ReplaceAllString(text.String(), ""), commandLine.ReplaceAllString(s.Ask(q.command+chosen), ""))
			}
		})
	}
}

// standing changes the owner of an answer to what it is called when it is seen through Delve.
func standing(answer any) any {
	switch r := answer.(type) {
	case *inspect.BinsReport:
		r.Heap.Owner.Kind = target.KindDelve
	case *inspect.SlabsReport:
		r.Heap.Owner.Kind = target.KindDelve
	case *inspect.BlocksReport:
		r.Heap.Owner.Kind = target.KindDelve
	case *inspect.MathReport:
		r.Heap.Owner.Kind = target.KindDelve
	case *inspect.CheckReport:
		r.Heap.Owner.Kind = target.KindDelve
	case *inspect.StructsReport:
		r.Heap.Owner.Kind = target.KindDelve
	case *inspect.MapReport:
		r.Heap.Owner.Kind = target.KindDelve
	}
	return answer
}

// TestTheSameCheck asks both sides what is wrong, with a heap in which several things are.
func TestTheSameCheck(t *testing.T) {
	t.Parallel()
	s := startHeaps(t, "shop")
	door, h := s.look("orders")
	check := func() (map[string]any, *inspect.CheckReport) {
		r, err := inspect.Check(context.Background(), door, inspect.CheckOptions{})
		require.NoError(t, err)
		return s.AskJSON("gh_check"), r
	}
	found, expected := check()
	same(t, "gh_check", found, asMap(t, expected))
	require.True(t, expected.Healthy())

	blocks, err := h.Blocks(0)
	require.NoError(t, err)
	var live, free []*inspect.Block
	for _, b := range blocks.Blocks {
		switch b.Place {
		case inspect.PlaceLive:
			live = append(live, b)
		case inspect.PlaceCached, inspect.PlaceDepot:
			free = append(free, b)
		}
	}
	s.poke(uint64(live[3].Address)+uint64(live[3].Aligned+live[3].Requested), 0) // a terminator too many
	s.poke(uint64(live[7].Address)+uint64(live[7].Size)+7, 0x41)                 // a seal, from behind
	s.poke(uint64(free[5].Address)+uint64(free[5].Size)+2, 0x42)                 // the seal of a free block
	for i := range 16 {
		s.poke(uint64(live[11].Address)+8+uint64(i), 'z') // right through a seal
	}
	found, expected = check()
	same(t, "gh_check", found, asMap(t, expected))
	require.Len(t, expected.Findings, 4)
	var text bytes.Buffer
	looked := regexp.MustCompile(`(?m)^checked .*(\n[^\n]+)?\n`)
	plain := func(text string) string { return looked.ReplaceAllString(commandLine.ReplaceAllString(text, ""), "") }
	sameText := func() string {
		text.Reset()
		require.NoError(t, render.Check(&text, standing(expected).(*inspect.CheckReport), render.Style{}))
		answer := s.Ask("gh_check")
		require.Equal(t, plain(text.String()), plain(answer))
		return answer
	}
	sameText()
	for _, f := range expected.Findings {
		dump, err := h.Hexdump(uint64(f.Address), 0)
		require.NoError(t, err)
		text.Reset()
		require.NoError(t, render.Hexdump(&text, dump, render.Style{}))
		require.Equal(t, text.String(), s.Ask("gh_hexdump "+f.Address.String()))
	}

	// Fields that were never right: in many structs, and one that holds 0; and entries of the page map, which many structs spoil.
	field := func(name, field string) uint64 {
		dump, err := h.Dump(name)
		require.NoError(t, err)
		i := slices.IndexFunc(dump.Values, func(v inspect.Value) bool { return v.Field == field })
		require.GreaterOrEqual(t, i, 0, "%s.%s", name, field)
		return uint64(dump.Address) + dump.Values[i].Offset
	}
	for i := 1; i <= 5; i++ {
		s.poke(field(fmt.Sprintf("bin %d", i), "ID"), 0)
	}
	s.poke(field("slab 12", "Bin"), 0)
	for i := 13; i <= 16; i++ {
		s.poke(field(fmt.Sprintf("page %d", i), "Descriptor"), 0xee)
	}
	found, expected = check()
	same(t, "gh_check", found, asMap(t, expected))
	answer := sameText()
	require.Contains(t, answer, "ID of 5 bins is wrong")
	require.Contains(t, answer, "and 2 more\n   likely    never initialised, or computed wrongly\n")
	require.Contains(t, answer, "page entries are wrong (entry)")
	require.Contains(t, answer, "next  gh_structs --wrong --fields")
	require.NotContains(t, s.Ask("gh_structs --wrong --fields"), "next  ")
	require.Contains(t, s.Ask("gh_structs --wrong"), "next  gh_check")
}

// poke writes a byte of the process that is debugged.
func (s *session) poke(address uint64, value byte) {
	answer := strings.TrimSpace(s.Ask(fmt.Sprintf("set *(*uint8)(%d) = %d", address, value)))
	require.Empty(s.T, answer)
}

func regexpFirst(pattern, text string) string { return regexp.MustCompile(pattern).FindString(text) }

// TestColours: the colours change nothing but colours.
func TestColours(t *testing.T) {
	t.Parallel()
	s := startHeaps(t, "overrun")
	s.Ask("continue") // the overflow is there
	commands := []string{"gh_check", "gh_bins", "gh_blocks block", "gh_whatis block", "gh_hexdump block", "gh_map block", "gh_structs"}
	var plain []string
	for _, command := range commands {
		plain = append(plain, s.Ask(command))
	}
	initFile, err := Unpack(debugging.Folder, Options{Color: true}, "")
	require.NoError(t, err)
	s.Ask("source " + initFile)
	escape := regexp.MustCompile("\x1b\\[[0-9;]*m")
	looked := regexp.MustCompile(` in [\d.]+ (µs|ms|s)\n`)
	for i, command := range commands {
		answer := s.Ask(command)
		require.Contains(t, answer, "\x1b[", command)
		if command == "gh_hexdump block" {
			continue // in colours, only damage is marked by a line of its own
		}
		require.Equal(t, looked.ReplaceAllString(plain[i], ""), looked.ReplaceAllString(escape.ReplaceAllString(answer, ""), ""), command)
	}
}

// TestEveryAddressHasTheSameAnswer asks what is at an address of every kind.
func TestEveryAddressHasTheSameAnswer(t *testing.T) {
	t.Parallel()
	s := startHeaps(t, "shop")
	_, h := s.look("orders")
	id := h.Identity()
	data := uint64(id.Data)
	var addresses []uint64
	for _, offset := range []uint64{
		0, 23, 15, 4096*4 - 1, 12 * 4096, 23 * 4096, 23*4096 + 99_990, 23*4096 + 100_000, 48*4096 - 1, 48 * 4096, 50 * 4096, 60 * 4096, 44*4096 + 0x40, 44*4096 + 0x38, 44*4096 + 0x60,
		1 << 20, 1<<20 + 3<<19, 1<<20 + 3<<19 + 4096, 2<<20 + 5000, 3 << 20, 63 << 20, 64 << 20,
	} {
		addresses = append(addresses, data+offset)
	}
	for _, name := range []string{"header", "twin", "bin 3", "cache 0", "magazine 0.34", "arena 1", "slab 12", "span 23", "page 13"} {
		dump, err := h.Dump(name)
		require.NoError(t, err)
		addresses = append(addresses, uint64(dump.Address), uint64(dump.Address)+dump.Bytes-1)
	}
	addresses = append(addresses, id.Schema, id.Schema+uint64(id.SchemaBytes), uint64(id.Caches)-1, id.Descriptors, id.DescriptorsEnd, id.Base-1, 1<<64-1)
	for i, address := range addresses {
		if !debugging.Share(i, 2) {
			continue
		}
		at := inspect.Address(address).String()
		expected, err := h.Whatis(address)
		require.NoError(t, err)
		same(t, at, s.AskJSON("gh_whatis "+at), asMap(t, expected))
		var text bytes.Buffer
		require.NoError(t, render.Whatis(&text, expected, render.Style{}))
		require.Equal(t, commandLine.ReplaceAllString(text.String(), ""), commandLine.ReplaceAllString(s.Ask("gh_whatis "+at), ""), at)
		if expected.Block != nil && expected.Block.Bin < 0 {
			blocks, err := h.Blocks(address)
			require.NoError(t, err)
			same(t, at, s.AskJSON("gh_blocks "+at), asMap(t, blocks))
		}
		if expected.Block != nil && expected.Kind != "guard" { // Delve cannot read a guard page; the scripts say so
			dump, err := h.Hexdump(address, 160)
			require.NoError(t, err)
			text.Reset()
			require.NoError(t, render.Hexdump(&text, dump, render.Style{}))
			require.Equal(t, text.String(), s.Ask("gh_hexdump "+at+" 160"), at)
		}
	}
}
