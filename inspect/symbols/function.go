package symbols

import (
	"encoding/binary"
	"strings"
	"unicode"
)

const (
	functionBytes = 44 // _func of runtime/runtime2.go
	inlinedBytes  = 16 // inlinedCall of runtime/symtabinl.go

	// internal/abi/symtab.go
	inlineIndex = 2 // PCDATA_InlTreeIndex
	inlineTree  = 3 // FUNCDATA_InlTree
	noData      = ^uint32(0)

	// firstWrapper is where the ids of generated wrappers start. Theirs is the last id of all: 21 in Go 1.20, 23 in Go 1.26,
	// where 21 and 22 are functions in assembly, which are never inlined, nor is anything into them.
	firstWrapper = 21

	mostFunctionName = 16 << 10
	mostFileName     = 4 << 10
)

// function is what the table says of a function that has code of its own.
type function struct {
	entry       uint64 // offset in the code
	name        uint32
	files       uint32 // tables of the instructions' files and lines
	lines       uint32
	unit        uint32 // of which the files are numbered
	inlined     uint32 // the table of the instructions' inlined calls; 0: none
	inlinedData uint32 // where those are described
	wrapper     bool
}

// find looks for the function with an instruction at an offset in the code.
func (t *Table) find(offset uint64) (f function, ok bool) {
	table := t.module.functionTable
	// The first function that starts behind the offset.
	low, high := uint64(0), t.module.functions
	for low < high {
		middle := (low + high) / 2
		entry, ok := t.window.uint32(table, int64(middle*8))
		if !ok {
			return function{}, false
		}
		if uint64(entry) > offset {
			high = middle
		} else {
			low = middle + 1
		}
	}
	if low == 0 {
		return function{}, false
	}
	at, ok := t.window.uint32(table, int64((low-1)*8+4))
	if !ok {
		return function{}, false
	}
	return t.readFunction(int64(at))
}

func (t *Table) readFunction(at int64) (f function, ok bool) {
	var raw [functionBytes]byte
	table := t.module.functionTable
	if !t.window.read(table, at, raw[:]) {
		return function{}, false
	}
	word := func(i int) uint32 { return binary.LittleEndian.Uint32(raw[4*i:]) }
	f = function{
		entry: uint64(word(0)), name: word(1), files: word(5), lines: word(6), unit: word(8),
		wrapper: raw[40] >= firstWrapper,
	}
	tables, data := int64(word(7)), int64(raw[43])
	if tables <= inlineIndex || data <= inlineTree {
		return f, true
	}
	f.inlined, _ = t.window.uint32(table, at+functionBytes+4*inlineIndex)
	f.inlinedData, ok = t.window.uint32(table, at+functionBytes+4*tables+4*inlineTree)
	if !ok || f.inlinedData == noData {
		f.inlined = 0
	}
	return f, true
}

// position is the file and line of an instruction, as the runtime prints it: "?" and 0 where the table has nothing.
func (t *Table) position(f function, distance uint64) (file string, line int) {
	number, at := t.value(f.files, distance), t.value(f.lines, distance)
	if number < 0 || at < 0 {
		return "?", 0
	}
	start, ok := t.window.uint32(t.module.unitTable, 4*(int64(f.unit)+int64(number)))
	if !ok || start == noData {
		return "?", 0
	}
	file, ok = t.window.text(t.module.fileTable, int64(start), mostFileName)
	if !ok {
		return "?", 0
	}
	return printable(file), int(at)
}

// nameOf is a function's name as the runtime prints it: of the types that a generic one is made for, only that they are. The
// one function that the runtime has no name for, because its name is the table's first, has it here.
func (t *Table) nameOf(at uint32) string {
	name, _ := t.window.text(t.module.nameTable, int64(at), mostFunctionName)
	if from, to := strings.IndexByte(name, '['), strings.LastIndexByte(name, ']'); from >= 0 && from < to {
		name = name[:from] + "[...]" + name[to+1:]
	}
	return printable(name)
}

// printable makes a foreign name safe to print: it could carry line breaks or a terminal's control sequences.
func printable(name string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '·'
		}
		return r
	}, name)
}
