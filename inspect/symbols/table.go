package symbols

import (
	"io"
	"sync"
)

// Table is the functions of one executable. Any number of goroutines may use it.
type Table struct {
	image   *image
	module  *module
	buildID string
	closer  io.Closer // nil: somebody else's

	lock       sync.Mutex
	window     *window
	bias       uint64
	steps      int // that the lookup under way may still take
	cache      map[uint64][]call
	cacheBytes int
}

// Open reads where an executable's tables are: a *FormatError for what is no Go executable, a *VersionError for one of another
// version of Go. The executable is read again at each lookup and has to stay as it is. Addresses are those that it was linked
// for, until Rebase.
func Open(executable io.ReaderAt) (*Table, error) {
	im, err := readImage(executable)
	if err != nil {
		return nil, err
	}
	m, err := im.locate()
	if err != nil {
		return nil, err
	}
	id, _ := im.buildID()
	return &Table{image: im, module: m, buildID: id, window: newWindow(executable), cache: map[uint64][]call{}}, nil
}

// locate finds the tables. The section headers say where they are; when they are gone, or lie, the magic does.
func (im *image) locate() (*module, error) {
	var other error // a table that can't be read
	try := func(address uint64) *module {
		h, err := im.readPCHeader(address)
		if err != nil && other == nil {
			other = err
		}
		if h == nil {
			return nil
		}
		return im.findModule(h)
	}
	if address, ok := im.addressOf(".gopclntab", ".data.rel.ro.gopclntab"); ok {
		if m := try(address); m != nil {
			return m, nil
		}
		if other != nil {
			return nil, other
		}
	}
	for _, address := range im.findTables() {
		if m := try(address); m != nil {
			return m, nil
		}
	}
	if other != nil {
		return nil, other
	}
	return nil, &FormatError{"it has no table of Go functions (pclntab) that is whole"}
}

// Rebase says how far from where it was linked the program was loaded; see Bias. What Frames and Stack are asked for, and
// tell, are addresses of the running program then.
func (t *Table) Rebase(bias uint64) {
	t.lock.Lock()
	defer t.lock.Unlock()
	t.bias = bias
}

// BuildID is the executable's, empty when it has none: see the function of that name.
func (t *Table) BuildID() string { return t.buildID }

// Close closes the file, where it was opened by this package.
func (t *Table) Close() error {
	if t.closer == nil {
		return nil
	}
	return t.closer.Close()
}
