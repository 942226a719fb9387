package inspect_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/allocator/layout"
)

// FuzzForeignFormat is FuzzDecoder for heaps whose format is another than this program's: the patches go to the metadata of a heap
// that is laid out as one of a few schemas says, and the schema itself is replaced by the input, where it is one. Checksums are mended,
// so that a schema that lies is followed as far as an honest one.
func FuzzForeignFormat(f *testing.F) {
	type foreign struct {
		memory []byte
		parts  [][2]uint64
	}
	var heaps []foreign
	var schemas []layout.Schema
	memory := usedImage(f, allocator.Options{Mode: allocator.ModeAudit})
	for _, name := range []string{"fields moved", "structs grown", "newer", "statistics missing"} {
		schema := anotherFormat(func(s *layout.Schema) { withoutGuards(s); foreignFormats[name](s) })
		again := relaid(f, memory, schema)
		heaps, schemas = append(heaps, foreign{again, foreignParts(again, schema)}), append(schemas, schema)
	}
	patch := make([]byte, patchBytes)
	binary.LittleEndian.PutUint64(patch[6:], 0xffff_ffff_ffff_fff0)
	for i := range schemas {
		text, err := json.Marshal(schemas[i])
		require.NoError(f, err)
		f.Add(byte(i), text, patch, uint64(i*4096))
		f.Add(byte(i), []byte(nil), patch, uint64(i*4096))
		for _, wrong := range hostileSchemas(schemas[i]) {
			f.Add(byte(i), wrong, []byte(nil), uint64(i))
		}
	}
	var lock sync.Mutex
	f.Fuzz(func(t *testing.T, which byte, text, patches []byte, address uint64) {
		lock.Lock()
		defer lock.Unlock()
		i := int(which) % len(heaps)
		h := heaps[i]
		start := bytes.Clone(h.memory[:layout.HeaderBytes])
		defer func() { copy(h.memory, start) }()
		defer patchWords(h.memory, h.parts, patches)()
		if len(text) > 0 && len(text) < layout.HeaderBytes-layout.SchemaOffset {
			replaceSchema(h.memory, schemas[i], text)
		}
		mendChecksums(h.memory, schemas[i])
		started := time.Now()
		askEverything(binary.LittleEndian.Uint64(h.memory[identityField(schemas[i], "Identity", "Base"):])+address%uint64(len(h.memory)), h.memory)
		if took := time.Since(started); took > 20*time.Second {
			t.Errorf("the answers took %s", took)
		}
	})
}

// foreignParts are the parts of a relaid heap that patches go to.
func foreignParts(memory []byte, schema layout.Schema) (parts [][2]uint64) {
	at := func(field string) uint64 {
		word := func(field string) uint64 {
			return binary.LittleEndian.Uint64(memory[identityField(schema, "Identity", field):])
		}
		return word(field) - word("Base")
	}
	parts = append(parts, [2]uint64{0, 1024}, [2]uint64{layout.SchemaOffset, layout.SchemaOffset + 20<<10})
	for _, name := range []string{"Bins", "Caches", "Arenas", "PageMap", "Descriptors", "Records", "Journals", "Stacks"} {
		if at(name) < uint64(len(memory))-8192 {
			parts = append(parts, [2]uint64{at(name), at(name) + 8192})
		}
	}
	return parts
}

// hostileSchemas are schemas that no heap wrote, made of one that it did.
func hostileSchemas(schema layout.Schema) (texts [][]byte) {
	for _, change := range []func(s *layout.Schema){
		func(s *layout.Schema) { t := structOf(s, "Slab"); t.Fields[1].Offset = t.Fields[0].Offset }, // on top of each other
		func(s *layout.Schema) { structOf(s, "Slab").Bytes = 1 << 20 },
		func(s *layout.Schema) { structOf(s, "Bin").Fields[0].Offset = 1<<64 - 1 },
		func(s *layout.Schema) { structOf(s, "Magazine").Fields[0].Kind = "array:uint:4294967295" },
		func(s *layout.Schema) { structOf(s, "Span").Fields[0].Kind = "Span" },
		func(s *layout.Schema) { s.Constants["MaxCaches"] = 1<<64 - 1 },
		func(s *layout.Schema) { s.Constants["MaxStackDepth"] = 1<<64 - 1 },
		func(s *layout.Schema) { s.Structs = nil },
		func(s *layout.Schema) { s.Constants = nil },
	} {
		text, _ := json.Marshal(schema)
		var changed layout.Schema
		_ = json.Unmarshal(text, &changed)
		change(&changed)
		text, _ = json.Marshal(changed)
		texts = append(texts, text)
	}
	return texts
}
