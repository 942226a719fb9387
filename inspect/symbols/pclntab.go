package symbols

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// pcHeader is the start of the table of program counters (pcHeader of runtime/symtab.go): where its parts are.
type pcHeader struct {
	address   uint64
	place     extent // to the end of its segment
	quantum   uint32 // bytes of the smallest instruction
	functions uint64
	// Offsets from the header.
	names, units, files, values, functab uint64
}

const (
	pcHeaderBytes = 8 + 8*8
	mostFunctions = 1 << 28
	knownMagic    = 0xfffffff1 // Go 1.20 and newer (internal/abi/symtab.go)
)

// olderMagics are those of the forms that are not read here.
var olderMagics = map[uint32]string{
	0xfffffff0: "Go 1.18 or 1.19",
	0xfffffffa: "Go 1.16 or 1.17",
	0xfffffffb: "Go 1.15 or older",
}

// readPCHeader reads a header; a nil header and no error when there is none.
func (im *image) readPCHeader(address uint64) (*pcHeader, error) {
	place, ok := im.place(address)
	if !ok || place.bytes < pcHeaderBytes || address%8 != 0 {
		return nil, nil
	}
	raw := im.read(uint64(place.at), pcHeaderBytes)
	if raw == nil || raw[4] != 0 || raw[5] != 0 || raw[7] != 8 {
		return nil, nil
	}
	quantum := uint32(raw[6])
	if quantum != 1 && quantum != 2 && quantum != 4 {
		return nil, nil
	}
	if magic := binary.LittleEndian.Uint32(raw); magic != knownMagic {
		if older, ok := olderMagics[magic]; ok {
			return nil, &VersionError{Built: older}
		}
		if magic>>8 == 0xffffff {
			return nil, &VersionError{Built: fmt.Sprintf("a newer Go (its table has the magic %#x)", magic)}
		}
		return nil, nil
	}
	word := func(i int) uint64 { return binary.LittleEndian.Uint64(raw[8+8*i:]) }
	h := &pcHeader{
		address: address, place: place, quantum: quantum, functions: word(0),
		names: word(3), units: word(4), files: word(5), values: word(6), functab: word(7),
	}
	before := uint64(pcHeaderBytes)
	for _, offset := range []uint64{h.names, h.units, h.files, h.values, h.functab} {
		if offset < before || offset > uint64(place.bytes) {
			return nil, nil
		}
		before = offset
	}
	if h.functions == 0 || h.functions > mostFunctions || h.functab+h.functions*8+4 > uint64(place.bytes) {
		return nil, nil
	}
	return h, nil
}

// mostTables bounds how many places that look like a header are tried: a program that deals with such tables has their magic
// in its code and data.
const mostTables = 16

// findTables looks for headers by what they start with. Old magics are found too, so that they can be named.
func (im *image) findTables() []uint64 {
	var found []uint64
	tail := []byte{0xff, 0xff, 0xff, 0, 0} // of all magics, and the two zeros behind them
	look := func(address uint64, piece []byte) bool {
		for from := 1; len(found) < mostTables; {
			i := bytes.Index(piece[min(from, len(piece)):], tail)
			if i < 0 {
				return true
			}
			i += from
			from = i + 1
			if i+7 <= len(piece) && (address+uint64(i)-1)%8 == 0 && piece[i-1] >= 0xe0 && piece[i+6] == 8 {
				found = append(found, address+uint64(i)-1)
			}
		}
		return false
	}
	for _, writable := range []bool{false, true} { // external linkers once made it writable until it was relocated
		for _, s := range im.segments {
			if s.writable == writable {
				im.scan(s, 7, look)
			}
		}
	}
	return found
}
