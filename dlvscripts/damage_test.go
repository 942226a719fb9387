package dlvscripts

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/target"
	"github.com/glassheap/glassheap/internal/debugging"
)

// TestEveryDamagedFieldIsNamed flips a bit in each field of a struct of every kind. The scripts find what the glassheap
// command finds, field by field, word by word.
func TestEveryDamagedFieldIsNamed(t *testing.T) {
	t.Parallel()
	s := startHeaps(t, "shop")
	door, h := s.look("orders")
	n := 0
	for _, name := range structsToDamage(t, h) {
		dump, err := h.Dump(name)
		require.NoError(t, err)
		for _, v := range dump.Values {
			inside := strings.Contains(v.Field, ".") // of a struct that is damaged by its own name
			further := strings.Contains(v.Field, "[") && !strings.HasSuffix(v.Field, "[0]")
			if inside || further || strings.HasPrefix(v.Kind, "array:Magazine") || name == "twin" && v.Offset > 16 {
				continue
			}
			if n++; !debugging.Share(n, 6) {
				continue
			}
			s.whileFlipped(door, uint64(dump.Address)+v.Offset, func() {
				s.sameFindings(door, fmt.Sprintf("%s of %s", v.Field, dump.Name))
			})
		}
	}
}

// structsToDamage names a struct of every kind, and of those that only a list leads to.
func structsToDamage(t *testing.T, h *inspect.Heap) []string {
	names := []string{"identity", "twin", "header", "bin 34", "cache 0", "magazine 0.34", "arena 0", "arena 1", "slab 0", "slab 12", "span 23", "page 12", "page 13", "page 23"}
	r, err := h.Structs(context.Background(), inspect.StructsOptions{})
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, j := range r.Structs {
		kind, _, listed := strings.Cut(j.Name, " at ")
		if listed && !seen[kind] {
			seen[kind] = true
			names = append(names, j.Address.String())
		}
	}
	require.Subset(t, []string{"retired slab", "magazine", "retired span"}, keys(seen))
	return names
}

func keys(m map[string]bool) (names []string) {
	for name := range m {
		names = append(names, name)
	}
	return names
}

// whileFlipped does something while one bit of the process that is debugged is not what it was.
func (s *session) whileFlipped(door target.Target, address uint64, do func()) {
	var held [1]byte
	_, err := door.ReadAt(held[:], int64(address-door.Base()))
	require.NoError(s.T, err)
	s.poke(address, held[0]^1)
	do()
	s.poke(address, held[0])
}

// sameFindings asks both sides what is wrong. Where the command finds something, so do the scripts.
// What is wanted stands in what the command finds.
func (s *session) sameFindings(door target.Target, what string, wanted ...string) {
	expected, err := inspect.Check(context.Background(), door, inspect.CheckOptions{})
	require.NoError(s.T, err)
	text, err := json.Marshal(slices.Concat(expected.Findings, expected.Unsettled))
	require.NoError(s.T, err)
	for _, w := range wanted {
		require.Contains(s.T, string(text), w, "%s: inspect notices", what)
	}
	found := s.AskJSON("gh_check")
	there := asMap(s.T, expected)
	for _, kind := range []string{"findings", "unsettled"} {
		same(s.T, what+" flipped: "+kind, found[kind], there[kind])
	}
}

// TestDamagedLinksAndSchema damages what is no field: the links behind a slab, the schema, a block's seal in each place.
func TestDamagedLinksAndSchema(t *testing.T) {
	t.Parallel()
	s := startHeaps(t, "shop")
	door, h := s.look("orders")
	dump, err := h.Dump("slab 12")
	require.NoError(t, err)
	for i := 0; i < 34; i += 3 {
		s.whileFlipped(door, uint64(dump.Address)+dump.Bytes+2*uint64(i), func() {
			s.sameFindings(door, fmt.Sprintf("link %d of slab 12", i))
		})
	}
	mark := alignedUser(t, h) - layout.SealBytes
	for i := range uint64(layout.SealBytes) {
		s.whileFlipped(door, mark+i, func() { s.sameFindings(door, "a mark", string(inspect.CodeUnderflow)) })
	}
	whole := wordAt(t, door, mark)
	s.pokeWord(mark, 0x7878787878787878)
	s.sameFindings(door, "a mark that is gone", string(inspect.CodeUnderflow))
	s.pokeWord(mark, whole)
	s.whileFlipped(door, uint64(h.Identity().Schema)+100, func() {
		s.sameFindings(door, "the schema")
		answer := s.Ask("gh_structs --wrong")
		require.Contains(t, answer, "SchemaHash")
		require.Contains(t, answer, "1 wrong")
	})
	// Both copies of the identity: nothing behind them can be believed.
	s.whileFlipped(door, door.Base()+8, func() {
		dump, err := h.Dump("twin")
		require.NoError(t, err)
		s.whileFlipped(door, uint64(dump.Address)+8, func() {
			require.Contains(t, s.Ask("gh_check"), "Both copies of the header's identity are damaged")
			require.Contains(t, s.Ask("gh_structs"), "header is damaged")
			require.Contains(t, s.Ask("gh_bins"), "only gh_check and gh_structs")
			require.Contains(t, s.Ask("gh_whatis block"), "only gh_check and gh_structs")
		})
	})
	require.Contains(t, s.Ask("gh_check"), "healthy.")
}

// alignedUser is the user's address of a block that was allocated aligned, and lies inside it.
func alignedUser(t *testing.T, h *inspect.Heap) uint64 {
	for b := range everyBlock(t, h) {
		if b.Aligned > 0 {
			return uint64(b.Address) + uint64(b.Aligned)
		}
	}
	require.Fail(t, "no block is aligned")
	return 0
}

// everyBlock goes over the blocks of all slabs, in the order of their addresses.
func everyBlock(t *testing.T, h *inspect.Heap) iter.Seq[*inspect.Block] {
	return func(yield func(*inspect.Block) bool) {
		slabs, err := h.Slabs(-1)
		require.NoError(t, err)
		for _, row := range slabs.Slabs {
			blocks, err := h.Blocks(uint64(row.Slab))
			require.NoError(t, err)
			for _, b := range blocks.Blocks {
				if !yield(b) {
					return
				}
			}
		}
	}
}

// TestNothingEndsACommand asks every question of a heap whose figures lead far away.
func TestNothingEndsACommand(t *testing.T) {
	t.Parallel()
	s := startHeaps(t, "shop")
	door, h := s.look("orders")
	for n, damage := range []struct {
		name, field string
		byte        uint64 // of the field: a high one, so that it becomes a large number
	}{
		{"header", "ArenasUsed", 1}, {"header", "DescriptorsTop", 5}, {"header", "CachesReady", 1}, {"header", "RetiredSpans", 3}, {"bin 34", "Partial", 4},
		{"bin 34", "Depot", 7}, {"slab 12", "Base", 5}, {"slab 12", "FreeHead", 1}, {"span 23", "Pages", 6}, {"arena 0", "State", 0}, {"page 12", "Descriptor", 3},
	} {
		dump, err := h.Dump(damage.name)
		require.NoError(t, err)
		for _, v := range dump.Values {
			if v.Field != damage.field {
				continue
			}
			s.whileFlipped(door, uint64(dump.Address)+v.Offset+damage.byte, func() {
				for i, command := range []string{"gh_structs --wrong", "gh_bins", "gh_slabs 34", "gh_blocks 12", "gh_slab 12", "gh_whatis block", "gh_map"} {
					if !debugging.Share(n+i, 5) {
						continue
					}
					answer := s.Ask(command)
					require.NotRegexp(t, `(?m)^(Command failed|Error|Traceback|glassheap\.star)|\.star:\d+`, answer, "%s.%s: %s", damage.name, damage.field, command)
					require.NotEmpty(t, answer)
				}
			})
		}
	}
	require.Contains(t, s.Ask("gh_check"), "healthy.")
}
