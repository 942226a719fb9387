package symbols_test

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/inspect/symbols"
)

// Where the parts of handmade are: in the file, and in memory behind base.
const (
	base       = 0x400000
	moduleAt   = 0x100
	headerAt   = 0x300
	namesAt    = 0x400
	unitsAt    = 0x480
	filesAt    = 0x490
	valuesAt   = 0x4c0
	functabAt  = 0x500
	functionAt = functabAt + 0x20
	inlinedAt  = 0x600
	textAt     = 0x700
	textBytes  = 0x100
	imageBytes = textAt + textBytes
)

// handmade is a small executable: the function main.outer, into all of which a call of main.inner is inlined. The tables of
// values are given: the file, the line, the inlined call of all instructions.
func handmade(parent uint32, values []byte) []byte {
	raw := make([]byte, imageBytes)
	copy(raw[valuesAt:functabAt], values)
	put32 := func(at int, words ...uint32) {
		for i, w := range words {
			binary.LittleEndian.PutUint32(raw[at+4*i:], w)
		}
	}
	put64 := func(at int, words ...uint64) {
		for i, w := range words {
			binary.LittleEndian.PutUint64(raw[at+8*i:], w)
		}
	}
	var b bytes.Buffer
	_ = binary.Write(&b, binary.LittleEndian, elf.Header64{
		Ident: [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), 1},
		Type:  uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64), Phoff: 64, Phentsize: 56, Phnum: 1,
	})
	_ = binary.Write(&b, binary.LittleEndian, elf.Prog64{
		Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_W | elf.PF_X), Vaddr: base,
		Filesz: uint64(len(raw)), Memsz: uint64(len(raw)), Align: 4096,
	})
	copy(raw, b.Bytes())

	put64(headerAt, 0x0801_0000_ffff_fff1, 1, 1, 0, namesAt-headerAt, unitsAt-headerAt, filesAt-headerAt, valuesAt-headerAt, functabAt-headerAt)
	slice := func(word int, at, length uint64) { put64(moduleAt+8*word, base+at, length, length) }
	put64(moduleAt, base+headerAt)
	slice(1, namesAt, unitsAt-namesAt)
	slice(4, unitsAt, 1)
	slice(7, filesAt, valuesAt-filesAt)
	slice(10, valuesAt, functabAt-valuesAt)
	slice(13, functabAt, inlinedAt-functabAt)
	slice(16, functabAt, 2)
	put64(moduleAt+8*20, base+textAt, base+textAt+textBytes, base+textAt, base+textAt+textBytes)
	put64(moduleAt+8*40, base+inlinedAt)

	copy(raw[namesAt:], "\x00main.outer\x00main.inner[go.shape.int]\x00")
	copy(raw[filesAt:], "main.go\x00")
	put32(functabAt, 0, functionAt-functabAt, textBytes)
	put32(functionAt, 0, 1, 0, 0, 0, 1, 5, 3, 0, 3)
	raw[functionAt+43] = 4
	put32(functionAt+44, 0, 0, 9)
	put32(functionAt+56, 0xffffffff, 0xffffffff, 0xffffffff, 0)
	put32(inlinedAt, 0, 12, parent, 5)
	return raw
}

// all is a table that has one value for all instructions of main.outer. The first change is from -1.
func all(value byte) []byte { return []byte{(value + 1) * 2, 0x80, 0x02, 0} }

func tables(inlined []byte) []byte {
	return bytes.Join([][]byte{{0}, all(0), all(7), inlined}, nil)
}

// half is 0 from the middle of main.outer on, and nothing before.
var half = []byte{0, 0x80, 0x01, 2, 0x80, 0x01, 0}

func TestHandmade(t *testing.T) {
	table, err := symbols.Open(bytes.NewReader(handmade(0x10, tables(half))))
	require.NoError(t, err)
	const start = base + textAt
	outer := symbols.Frame{PC: start + 0x10, Function: "main.outer", File: "main.go", Line: 7, Entry: start}
	require.Equal(t, []symbols.Frame{outer}, table.Frames(start+0x11))
	require.Equal(t, []symbols.Frame{
		{PC: start + 0x80, Function: "main.inner[...]", File: "main.go", Line: 7, Entry: start, Inlined: true}, outer,
	}, table.Frames(start+0x81), "innermost first")
	outer.PC = start + 0x7f
	require.Equal(t, []symbols.Frame{outer}, table.Frames(start+0x80), "it is what is before the address")
	outer.PC = start
	require.Equal(t, []symbols.Frame{outer}, table.Frames(start), "but in the same function")
	require.Empty(t, table.Frames(start-1))
	require.Empty(t, table.Frames(start+textBytes))
}

// TestInlinedInACircle has a call that says that it was inlined into itself.
func TestInlinedInACircle(t *testing.T) {
	table, err := symbols.Open(bytes.NewReader(handmade(0x90, tables(half))))
	require.NoError(t, err)
	frames := table.Frames(base + textAt + 0x81)
	require.Len(t, frames, 257)
	require.True(t, frames[255].Inlined)
	require.Equal(t, "main.outer", frames[256].Function)
}

func TestOddTables(t *testing.T) {
	const pc = base + textAt + 0x81
	for name, odd := range map[string]struct {
		raw    []byte
		frames int
		file   string
	}{
		"a call inlined before the start": {handmade(1<<31, tables(half)), 1, "main.go"},
		"a call inlined behind the end":   {handmade(1<<30, tables(half)), 2, "main.go"},
		"the table ends at once":          {handmade(0, tables(nil)), 1, "main.go"},
		"a number that does not end":      {handmade(0, tables(bytes.Repeat([]byte{0xff}, 30))), 1, "main.go"},
		"nothing but zeros":               {handmade(0, make([]byte, 16)), 1, "?"},
		"an inlined call far away":        {handmade(0, tables([]byte{0xf0, 0xff, 0xff, 0xff, 0x0f, 0x80, 0x02, 0})), 1, "main.go"},
		"a file far away":                 {handmade(0, bytes.Join([][]byte{{0}, all(62), all(7), half}, nil)), 2, "?"},
	} {
		t.Run(name, func(t *testing.T) {
			table, err := symbols.Open(bytes.NewReader(odd.raw))
			require.NoError(t, err)
			frames := table.Frames(pc)
			require.Len(t, frames, odd.frames)
			require.Equal(t, odd.file, frames[0].File)
		})
	}
}

// TestTheFileIsCutShort after it was opened.
func TestTheFileIsCutShort(t *testing.T) {
	raw := handmade(0x10, tables(half))
	for _, size := range []int{0, namesAt, filesAt, valuesAt, functabAt, functabAt + 8, functionAt + 10, functionAt + 50, inlinedAt, inlinedAt + 10} {
		file := &shrinking{Reader: bytes.NewReader(raw)}
		table, err := symbols.Open(file)
		require.NoError(t, err)
		file.Reader = bytes.NewReader(raw[:size])
		started := time.Now()
		require.LessOrEqual(t, len(table.Frames(base+textAt+0x81)), 2)
		require.Less(t, time.Since(started), time.Second)
	}
}

type shrinking struct{ *bytes.Reader }
