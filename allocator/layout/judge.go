package layout

import "strconv"

// Verdict is the answer for one field: what it holds, what it should hold, and why.
type Verdict struct {
	Field    string `json:"field"`
	Found    string `json:"found"`
	Expected string `json:"expected"`
	OK       bool   `json:"ok"`
	UnderWay bool   `json:"under_way,omitempty"` // not as expected, but its lock is held: it may be changing
	Why      string `json:"why,omitempty"`       // what the expectation follows from
}

// Judge collects verdicts on the fields of one struct. Its zero value keeps only those that are not ok; All keeps each.
// It is for one goroutine.
type Judge struct {
	All      bool
	Verdicts []Verdict

	// Lacks are the fields that the struct does not have in the heap's format, which is not this one: they read as zero, and
	// nothing is expected of them.
	Lacks map[string]bool

	changing bool
}

// Reset forgets the verdicts, to judge the next struct.
func (j *Judge) Reset() { j.Verdicts, j.changing = j.Verdicts[:0], false }

// Changing says whether the fields judged from now on may be changing, because their lock is held.
func (j *Judge) Changing(held bool) { j.changing = held }

// Equal expects a number.
func (j *Judge) Equal(field string, found, expected uint64, why string) {
	if found != expected || j.All {
		j.add(field, strconv.FormatUint(found, 10), strconv.FormatUint(expected, 10), found == expected, why)
	}
}

// EqualHex expects an address or a word of bits.
func (j *Judge) EqualHex(field string, found, expected uint64, why string) {
	if found != expected || j.All {
		j.add(field, Hex(found), Hex(expected), found == expected, why)
	}
}

// Within expects a number from low to high.
func (j *Judge) Within(field string, found, low, high uint64, why string) {
	if ok := low <= found && found <= high; !ok || j.All {
		j.add(field, strconv.FormatUint(found, 10), strconv.FormatUint(low, 10)+".."+strconv.FormatUint(high, 10), ok, why)
	}
}

// That expects what the caller has worked out, and says it in words.
func (j *Judge) That(field string, ok bool, found uint64, expected, why string) {
	if !ok || j.All {
		j.add(field, Hex(found), expected, ok, why)
	}
}

// Word expects one of an enumeration's values, which is shown by its name.
func (j *Judge) Word(field string, ok bool, found, expected, why string) {
	if !ok || j.All {
		j.add(field, found, expected, ok, why)
	}
}

// Padding expects zeros in the ranges of a struct's bytes that belong to no field.
func (j *Judge) Padding(raw []byte, ranges [][2]uintptr) {
	for _, r := range ranges {
		for i, b := range raw[r[0]:r[1]] {
			if b != 0 {
				j.add("(unused bytes)", Hex(uint64(b))+" at +"+strconv.Itoa(int(r[0])+i), "0", false, "nothing is ever written there")
				return
			}
		}
	}
}

func (j *Judge) add(field, found, expected string, ok bool, why string) {
	if j.Lacks[field] {
		return
	}
	j.Verdicts = append(j.Verdicts, Verdict{Field: field, Found: found, Expected: expected, OK: ok, UnderWay: !ok && j.changing, Why: why})
}

// Hex is how every output writes an address.
func Hex(v uint64) string { return "0x" + strconv.FormatUint(v, 16) }
