package symbols

import (
	"bytes"
	"encoding/binary"
)

// module is where a program's tables are, as its runtime.firstmoduledata tells: the header alone knows neither where the
// code starts nor where the inlined calls are described.
type module struct {
	*pcHeader
	text       uint64 // the address that the table's offsets count from
	start, end uint64 // of the functions
	// Parts of the file.
	nameTable, unitTable, fileTable, valueTable, functionTable, data extent
}

// Words of runtime.moduledata that are looked at. They have been where they are since Go 1.20.
const (
	wordHeader    = 0
	wordNames     = 1 // a slice is three words
	wordUnits     = 4
	wordFiles     = 7
	wordValues    = 10
	wordFunctions = 13
	wordFunctab   = 16
	wordStart     = 20 // minpc
	wordEnd       = 21 // maxpc
	wordText      = 22
	wordData      = 40 // gofunc
	moduleWords   = 41
	moduleBytes   = moduleWords * 8
)

// findModule finds the moduledata that goes with a header: nil when there is none.
func (im *image) findModule(h *pcHeader) *module {
	if address, ok := im.addressOf(".go.module"); ok {
		if m := im.readModule(h, address); m != nil {
			return m
		}
	}
	// Elsewhere, it is what starts with the header's address.
	wanted := binary.LittleEndian.AppendUint64(nil, h.address)
	var m *module
	for _, s := range im.segments {
		if !s.writable {
			continue
		}
		tries := mostTables
		im.scan(s, len(wanted)-1, func(address uint64, piece []byte) bool {
			for from := 0; m == nil && tries > 0; {
				i := bytes.Index(piece[from:], wanted)
				if i < 0 {
					return true
				}
				at := address + uint64(from+i)
				if from += i + 1; at%8 == 0 {
					tries--
					m = im.readModule(h, at)
				}
			}
			return false
		})
		if m != nil {
			return m
		}
	}
	for _, address := range im.relocatedTo(h.address) {
		if m := im.readModule(h, address); m != nil {
			return m
		}
	}
	return nil
}

// readModule reads a moduledata, as it is in the file or as the loader will make it: linkers may leave to the relocations
// what a position-independent executable's pointers are.
func (im *image) readModule(h *pcHeader, address uint64) *module {
	place, ok := im.placeOf(address, moduleBytes)
	if !ok {
		return nil
	}
	raw := im.read(uint64(place.at), moduleBytes)
	if raw == nil {
		return nil
	}
	if m := im.decodeModule(h, raw); m != nil {
		return m
	}
	if !im.relocate(address, raw) {
		return nil
	}
	return im.decodeModule(h, raw)
}

// decodeModule believes a moduledata only when all that it repeats of the header is the same.
func (im *image) decodeModule(h *pcHeader, raw []byte) *module {
	word := func(i int) uint64 { return binary.LittleEndian.Uint64(raw[8*i:]) }
	m := &module{pcHeader: h, text: word(wordText), start: word(wordStart), end: word(wordEnd)}
	ok := word(wordHeader) == h.address
	table := func(i int, offset, itemBytes uint64) (e extent) {
		length := word(i + 1)
		if ok = ok && word(i) == h.address+offset && length <= uint64(h.place.bytes); ok {
			e, ok = im.placeOf(word(i), length*itemBytes)
		}
		return e
	}
	m.nameTable = table(wordNames, h.names, 1)
	m.unitTable = table(wordUnits, h.units, 4)
	m.fileTable = table(wordFiles, h.files, 1)
	m.valueTable = table(wordValues, h.values, 1)
	m.functionTable = table(wordFunctions, h.functab, 1)
	functab := uint64(m.functionTable.bytes)
	if !ok || word(wordFunctab) != word(wordFunctions) || word(wordFunctab+1) != h.functions+1 || functab < h.functions*8+4 {
		return nil
	}
	if m.data, ok = im.place(word(wordData)); !ok {
		return nil
	}
	first := im.read(uint64(m.functionTable.at), 4)
	last := im.read(uint64(m.functionTable.at)+h.functions*8, 4)
	if first == nil || last == nil || m.start >= m.end || !im.isCode(m.start) || !im.isCode(m.end) ||
		m.text+uint64(binary.LittleEndian.Uint32(first)) != m.start || m.text+uint64(binary.LittleEndian.Uint32(last)) != m.end {
		return nil
	}
	return m
}
