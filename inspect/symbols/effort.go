package symbols

// mostScanned bounds what is read of one executable to find its tables. Sections tell where they are, and nothing is scanned
// then; without them it is a few times the size of the executable.
const mostScanned = 2 << 30

// effort is what may still be read.
type effort struct{ left int64 }

// spend says whether that many bytes may be read.
func (e *effort) spend(bytes int64) bool {
	if bytes > e.left {
		return false
	}
	e.left -= bytes
	return true
}
