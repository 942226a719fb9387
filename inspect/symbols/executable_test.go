package symbols_test

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/inspect/symbols"
)

const noteSegment = uint32(elf.PT_NOTE)

// executable is an ELF file with one segment.
func executable(kind uint32, content []byte) []byte {
	var b bytes.Buffer
	head := elf.Header64{
		Ident: [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), 1},
		Type:  uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64), Phoff: 64, Phentsize: 56, Phnum: 1,
	}
	segment := elf.Prog64{Type: kind, Flags: uint32(elf.PF_R), Off: 120, Vaddr: 0x400078, Filesz: uint64(len(content)), Memsz: uint64(len(content))}
	_ = binary.Write(&b, binary.LittleEndian, head)
	_ = binary.Write(&b, binary.LittleEndian, segment)
	b.Write(content)
	return b.Bytes()
}

func TestWhatIsNoGoExecutable(t *testing.T) {
	good, empty := handmade(0, tables(half)), executable(uint32(elf.PT_LOAD), make([]byte, 1000))
	_, err := symbols.Open(bytes.NewReader(good))
	require.NoError(t, err)
	for name, raw := range map[string][]byte{
		"nothing":                nil,
		"text":                   []byte("#!/bin/sh\n" + string(make([]byte, 100))),
		"the start of an ELF":    good[:40],
		"no program headers":     with(good, 0x38, 0, 0),
		"an odd size of them":    with(good, 0x36, 57, 0),
		"they are beyond":        with(good, 0x20, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
		"32 bits":                with(good, 4, 1),
		"big-endian":             with(good, 5, 2),
		"an object file":         with(good, 0x10, 1, 0),
		"a core":                 with(good, 0x10, 4, 0),
		"no table":               empty,
		"a segment that is huge": with(empty, 64+0x20, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x3f),
		"a table of nothing":     with(empty, 128, 0xf1, 0xff, 0xff, 0xff, 0, 0, 1, 8),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := symbols.Open(bytes.NewReader(raw))
			var format *symbols.FormatError
			require.ErrorAs(t, err, &format)
			require.NotEmpty(t, format.Found)
		})
	}
}

func TestOtherVersionsOfGo(t *testing.T) {
	good := executable(uint32(elf.PT_LOAD), make([]byte, 1000))
	for magic, built := range map[byte]string{0xfb: "Go 1.15", 0xfa: "Go 1.16", 0xf0: "Go 1.18", 0xf2: "newer Go"} {
		_, err := symbols.Open(bytes.NewReader(with(good, 128, magic, 0xff, 0xff, 0xff, 0, 0, 1, 8)))
		var version *symbols.VersionError
		require.ErrorAs(t, err, &version, "%#x", magic)
		require.ErrorContains(t, err, built)
		require.ErrorContains(t, err, "Go 1.20 to 1.26")
	}
	// Of a real program, with the section that says where it is.
	path := changed(t, plain(t), func(raw []byte) { raw[fileOffset(t, raw, ".gopclntab")] = 0xf0 })
	_, err := symbols.OpenFile(path)
	require.ErrorContains(t, err, "built with Go 1.18 or 1.19")
}

func with(raw []byte, at int, change ...byte) []byte {
	raw = bytes.Clone(raw)
	copy(raw[at:], change)
	return raw
}

func fileOffset(t testing.TB, raw []byte, section string) uint64 {
	file, err := elf.NewFile(bytes.NewReader(raw))
	require.NoError(t, err)
	s := file.Section(section)
	require.NotNil(t, s)
	return s.Offset
}
