package gdb

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"io"
)

// The notes of a core that tell which program it is of (elf(5), and fs/binfmt_elf.c of Linux).
const (
	noteAuxiliary = 6          // NT_AUXV: pairs of words
	noteFiles     = 0x46494c45 // NT_FILE: "FILE", the mapped files
	auxEntry      = 9          // AT_ENTRY: where the program begins to run

	mostNoteBytes = 16 << 20
)

// programOf is the path of the program that a core is of: the file that is mapped where it began to run. Empty: the core
// doesn't tell.
func programOf(core *elf.File) string {
	if core.Class != elf.ELFCLASS64 {
		return ""
	}
	var files, auxiliary []byte
	for _, p := range core.Progs {
		if p.Type != elf.PT_NOTE || p.Filesz > mostNoteBytes {
			continue
		}
		notes := make([]byte, p.Filesz)
		if _, err := io.ReadFull(p.Open(), notes); err != nil {
			continue
		}
		eachNote(core.ByteOrder, notes, func(kind uint32, content []byte) {
			switch kind {
			case noteFiles:
				files = content
			case noteAuxiliary:
				auxiliary = content
			}
		})
	}
	entry := uint64(0)
	for ; len(auxiliary) >= 16; auxiliary = auxiliary[16:] {
		if core.ByteOrder.Uint64(auxiliary) == auxEntry {
			entry = core.ByteOrder.Uint64(auxiliary[8:])
		}
	}
	return fileAt(core.ByteOrder, files, entry)
}

// eachNote takes notes apart: three words, a name, the content, both padded to words.
func eachNote(order binary.ByteOrder, notes []byte, visit func(kind uint32, content []byte)) {
	padded := func(n uint64) uint64 { return (n + 3) &^ 3 }
	for len(notes) >= 12 {
		name, content, kind := uint64(order.Uint32(notes)), uint64(order.Uint32(notes[4:])), order.Uint32(notes[8:])
		start := 12 + padded(name)
		if start+content > uint64(len(notes)) {
			return
		}
		visit(kind, notes[start:start+content])
		notes = notes[min(start+padded(content), uint64(len(notes))):]
	}
}

// fileAt is the mapped file at an address: the note holds a count, the page size, three words for each file, then the names.
func fileAt(order binary.ByteOrder, note []byte, address uint64) string {
	if len(note) < 16 {
		return ""
	}
	count := order.Uint64(note)
	if count > uint64(len(note)-16)/24 {
		return ""
	}
	names := note[16+24*count:]
	for i := range count {
		name, rest, ok := bytes.Cut(names, []byte{0})
		if !ok {
			return ""
		}
		row := note[16+24*i:]
		if order.Uint64(row) <= address && address < order.Uint64(row[8:]) {
			return string(name)
		}
		names = rest
	}
	return ""
}
