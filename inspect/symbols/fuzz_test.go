package symbols_test

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/inspect/symbols"
)

// patchBytes is the size of one patch: where, and a word. Whole executables as input would be minimised for most of the time.
const patchBytes = 4 + 4

func patched(raw, patches []byte) []byte {
	raw = bytes.Clone(raw)
	for ; len(patches) >= patchBytes; patches = patches[patchBytes:] {
		copy(raw[binary.LittleEndian.Uint32(patches)%uint32(len(raw)):], patches[4:patchBytes])
	}
	return raw
}

func patch(at uint64, word uint32) []byte {
	return binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, uint32(at)), word)
}

// FuzzHandmade writes words over a small executable, headers and all, and cuts it short.
func FuzzHandmade(f *testing.F) {
	raw := handmade(0x10, tables(half))
	for at := 0; at < textAt; at += 16 {
		f.Add(patch(uint64(at), 0xffff_fff0), uint64(0x81), uint16(0))
	}
	f.Fuzz(func(t *testing.T, patches []byte, pc uint64, cut uint16) {
		raw := patched(raw, patches)
		ask(t, raw[:len(raw)-int(cut)%len(raw)], pc, base+textAt+pc%textBytes)
	})
}

// FuzzTable writes words over a real program, most of which is its tables.
func FuzzTable(f *testing.F) {
	raw, err := os.ReadFile(build(f, "-ldflags=-s -w", nil, "-ldflags=-s -w"))
	require.NoError(f, err)
	file, err := elf.NewFile(bytes.NewReader(raw))
	require.NoError(f, err)
	text := file.Section(".text")
	for _, section := range []string{".gopclntab", ".go.module", ".shstrtab", ".text", ".note.go.buildid"} {
		for i := range uint64(20) {
			f.Add(patch(fileOffset(f, raw, section)+8*i, 0xffff_fff0), i*10_000)
		}
	}
	f.Fuzz(func(t *testing.T, patches []byte, pc uint64) {
		ask(t, patched(raw, patches), pc, text.Addr+pc%text.Size, text.Addr+7*pc%text.Size, text.Addr+49*pc%text.Size)
	})
}

// ask asks everything: there is an answer or an error, soon.
func ask(t *testing.T, raw []byte, pcs ...uint64) {
	started := time.Now()
	defer func() {
		if took := time.Since(started); took > 10*time.Second {
			t.Errorf("the answers took %s", took)
		}
	}()
	_, _ = symbols.BuildID(bytes.NewReader(raw))
	table, err := symbols.Open(bytes.NewReader(raw))
	if err != nil {
		require.NotEmpty(t, err.Error())
		return
	}
	for _, pc := range pcs {
		require.LessOrEqual(t, len(table.Frames(pc)), 257)
	}
	table.Stack(pcs)
	_, _ = table.BiasOfEntry(pcs[0])
	_, _ = table.Bias([]symbols.Mapping{{Start: pcs[0], End: pcs[0] + 4096}, {Start: base, End: base + 1<<20}})
}
