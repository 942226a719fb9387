package symbols

import (
	"bytes"
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
			n, rest, ok := CutNote(raw)
			if !ok {
				break
			}
			raw = rest
			switch {
			case len(n.Text) == 0 || len(n.Text) > mostBuildIDBytes:
			case n.Owner == "Go\x00\x00" && n.Kind == goNote && isPlain(n.Text):
				return "go:" + string(n.Text), nil
			case n.Owner == "GNU\x00" && n.Kind == gnuNote && gnu == "":
				gnu = "gnu:" + hex.EncodeToString(n.Text)
			}
		}
	}
	if gnu == "" {
		return "", ErrNoBuildID
	}
	return gnu, nil
}

// isPlain says that a text is safe to print and to compare.
func isPlain(text []byte) bool {
	return bytes.IndexFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}
