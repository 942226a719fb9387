package symbols

import (
	"bytes"
	"encoding/binary"
	"io"
)

const (
	pageBytes = 16 << 10
	mostPages = 256 // 4 MiB, of an executable of any size
)

// window reads an executable by pages and keeps some. It is not mapped: a file that somebody cuts short would kill the reader
// of a mapping.
type window struct {
	file  io.ReaderAt
	pages map[int64][]byte
	order [mostPages]int64 // a ring of the pages by age
	next  int
}

func newWindow(file io.ReaderAt) *window {
	return &window{file: file, pages: map[int64][]byte{}}
}

// from is what a page holds from an offset on; empty beyond the end of the file.
func (w *window) from(at int64) []byte {
	if at < 0 {
		return nil
	}
	number := at / pageBytes
	page, ok := w.pages[number]
	if !ok {
		if len(w.pages) == mostPages {
			delete(w.pages, w.order[w.next])
		}
		page = make([]byte, pageBytes)
		n, _ := w.file.ReadAt(page, number*pageBytes)
		page = page[:max(n, 0)]
		w.pages[number] = page
		w.order[w.next] = number
		w.next = (w.next + 1) % mostPages
	}
	return page[min(at%pageBytes, int64(len(page))):]
}

// read fills into from a part of the file, and says whether it could.
func (w *window) read(e extent, offset int64, into []byte) bool {
	if offset < 0 || offset > e.bytes || int64(len(into)) > e.bytes-offset {
		return false
	}
	for at := e.at + offset; len(into) > 0; {
		n := copy(into, w.from(at))
		if n == 0 {
			return false
		}
		into, at = into[n:], at+int64(n)
	}
	return true
}

func (w *window) uint32(e extent, offset int64) (uint32, bool) {
	var word [4]byte
	ok := w.read(e, offset, word[:])
	return binary.LittleEndian.Uint32(word[:]), ok
}

// text is a string that ends in a zero byte; it is cut off where it is longer than most.
func (w *window) text(e extent, offset int64, most int) (string, bool) {
	if offset < 0 || offset >= e.bytes {
		return "", false
	}
	var text []byte
	for at := e.at + offset; at < e.end() && len(text) < most; {
		piece := w.from(at)
		piece = piece[:min(int64(len(piece)), e.end()-at)]
		if len(piece) == 0 {
			return "", false
		}
		if end := bytes.IndexByte(piece, 0); end >= 0 {
			text = append(text, piece[:end]...)
			return string(text[:min(len(text), most)]), true
		}
		text = append(text, piece...)
		at += int64(len(piece))
	}
	return string(text[:min(len(text), most)]), true
}
