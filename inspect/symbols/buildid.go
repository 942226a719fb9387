package symbols

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"io"
)

const (
	goNote  = 4 // type of the note "Go" that has the build ID
	gnuNote = 3 // NT_GNU_BUILD_ID

	mostNotesBytes   = 64 << 10
	mostBuildIDBytes = 1 << 10
)

// BuildID tells which program an executable is: "go:" with the Go build ID, or "gnu:" with the linker's in hexadecimal where
// there is only that. It is ErrNoBuildID when there is neither. The memory at which the first page of an executable is mapped
// does as well as the file, as long as the notes are in that page, where linkers put them.
func BuildID(executable io.ReaderAt) (string, error) {
	im, err := readImage(executable)
	if err != nil {
		return "", err
	}
	return im.buildID()
}

func (im *image) buildID() (string, error) {
	gnu := ""
	for _, e := range im.notes {
		raw := make([]byte, min(e.bytes, mostNotesBytes))
		raw = raw[:im.readSome(uint64(e.at), raw)]
		for {
			n, rest, ok := cutNote(raw)
			if !ok {
				break
			}
			raw = rest
			switch {
			case len(n.text) == 0 || len(n.text) > mostBuildIDBytes:
			case n.owner == "Go\x00\x00" && n.kind == goNote && isPlain(n.text):
				return "go:" + string(n.text), nil
			case n.owner == "GNU\x00" && n.kind == gnuNote && gnu == "":
				gnu = "gnu:" + hex.EncodeToString(n.text)
			}
		}
	}
	if gnu == "" {
		return "", ErrNoBuildID
	}
	return gnu, nil
}

// note is an entry of a note segment (elf(5)).
type note struct {
	owner string
	kind  uint32
	text  []byte
}

// cutNote takes the first note off.
func cutNote(raw []byte) (n note, rest []byte, ok bool) {
	if len(raw) < 12 {
		return note{}, nil, false
	}
	word := func(i int) uint32 { return binary.LittleEndian.Uint32(raw[4*i:]) }
	owner, text := uint64(word(0)), uint64(word(1))
	// "Go\0\0" counts its padding as part of the name.
	padded := func(n uint64) uint64 { return (n + 3) &^ 3 }
	if 12+padded(owner)+text > uint64(len(raw)) {
		return note{}, nil, false
	}
	at := 12 + padded(owner)
	n = note{owner: string(raw[12 : 12+owner]), kind: word(2), text: raw[at : at+text]}
	return n, raw[min(at+padded(text), uint64(len(raw))):], true
}

// isPlain says that a text is safe to print and to compare.
func isPlain(text []byte) bool {
	return bytes.IndexFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}
