package symbols

import "encoding/binary"

// Note is an entry of a note segment (elf(5)), of an executable or of a core.
type Note struct {
	Owner string // with the zero byte that ends it
	Kind  uint32
	Text  []byte
}

// CutNote takes the first note off a segment; ok is false where there is none, or none that ends.
func CutNote(raw []byte) (n Note, rest []byte, ok bool) {
	if len(raw) < 12 {
		return Note{}, nil, false
	}
	word := func(i int) uint32 { return binary.LittleEndian.Uint32(raw[4*i:]) }
	owner, text := uint64(word(0)), uint64(word(1))
	// "Go\0\0" counts its padding as part of the name.
	padded := func(n uint64) uint64 { return (n + 3) &^ 3 }
	if 12+padded(owner)+text > uint64(len(raw)) {
		return Note{}, nil, false
	}
	at := 12 + padded(owner)
	n = Note{Owner: string(raw[12 : 12+owner]), Kind: word(2), Text: raw[at : at+text]}
	return n, raw[min(at+padded(text), uint64(len(raw))):], true
}
