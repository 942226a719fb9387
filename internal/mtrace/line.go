package mtrace

import "bytes"

// oldBlock and newBlock are the letters of a realloc's two lines.
const (
	oldBlock = '<'
	newBlock = '>'
)

// parsed is what one line says.
type parsed struct {
	op      byte
	address uint64
	size    uint64
	caller  []byte // a part of the line
}

// parse reads a line without its newline. The line is read from its end, because the caller at its beginning may contain
// anything that a file name may contain. complaint is empty when the line is good; p is then filled in.
func (p *parsed) parse(line []byte) (complaint string) {
	*p = parsed{}
	rest, last := cutLast(line)
	value, ok := number(last)
	if !ok {
		return "it does not end in a hexadecimal number"
	}
	rest, word := cutLast(rest)
	if len(word) == 1 && (word[0] == byte(Free) || word[0] == oldBlock) {
		p.op, p.address = word[0], value
	} else {
		if p.address, ok = number(word); !ok {
			return "there is neither an address nor an operation before the last number"
		}
		p.size = value
		rest, word = cutLast(rest)
		if len(word) != 1 || (word[0] != byte(Alloc) && word[0] != newBlock && word[0] != byte(FailedRealloc)) {
			return "there is no operation before the address and the size"
		}
		p.op = word[0]
	}
	switch {
	case len(rest) == 0: // glibc leaves the caller out when it does not know it
	case rest[0] != '@' || (len(rest) > 1 && rest[1] != ' '):
		return "what stands before the operation does not begin with @"
	case len(rest) > 2:
		p.caller = rest[2:]
	}
	return ""
}

// cutLast splits off the line's last word.
func cutLast(line []byte) (rest, word []byte) {
	for i := len(line) - 1; i >= 0; i-- {
		if line[i] == ' ' {
			return line[:i], line[i+1:]
		}
	}
	return nil, line
}

// number reads what C's printf writes for %p and %#lx: "0x1f", "(nil)" for a null pointer, "0" for no bytes.
func number(word []byte) (uint64, bool) {
	const mostDigits = 16
	if len(word) < 3 || word[0] != '0' || word[1] != 'x' || len(word) > 2+mostDigits {
		return 0, string(word) == "0" || string(word) == "(nil)"
	}
	value := uint64(0)
	for _, c := range word[2:] {
		digit := digits[c]
		if digit == notADigit {
			return 0, false
		}
		value = value<<4 | uint64(digit)
	}
	return value, true
}

const notADigit = 0xff

// digits is the value of each hexadecimal digit.
var digits = func() (table [256]uint8) {
	for c := range table {
		table[c] = notADigit
		if i := bytes.IndexByte([]byte("0123456789abcdef"), byte(c)); i >= 0 {
			table[c] = uint8(i)
		}
	}
	return table
}()

// isMarker reports whether line is one of the two that frame a recording.
func isMarker(line []byte) bool { return string(line) == "= Start" || string(line) == "= End" }
