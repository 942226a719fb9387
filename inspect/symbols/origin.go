package symbols

import (
	"encoding/binary"
	"fmt"
)

// Origin is what a program's addresses are told apart by when the program is gone: which executable it ran, and where that
// was loaded.
type Origin struct {
	BuildID string // see the function of that name; empty: it had none
	Entry   uint64 // AT_ENTRY, where the program's code started; 0: not known
}

// OpenOrigin opens the executable of a program by its path: a *WrongExecutableError when it is another one, ErrNoBuildID when
// there is nothing to compare.
func OpenOrigin(path string, o Origin) (*Table, error) {
	t, err := OpenMatching(path, o.BuildID)
	if err != nil {
		return nil, err
	}
	bias, err := t.BiasOfEntry(o.Entry)
	if err != nil {
		t.Close()
		return nil, err
	}
	t.Rebase(bias)
	return t, nil
}

// OpenUnmatched opens an executable for a program of which nothing is known: nobody can say whether it is the one that ran.
// It has to be linked for one address, for nobody can say either where it was loaded.
func OpenUnmatched(path string) (*Table, error) {
	t, err := OpenFile(path)
	if err != nil {
		return nil, err
	}
	if !t.image.fixed {
		t.Close()
		return nil, &BiasError{fmt.Sprintf("%s is position-independent, and nobody wrote down where it was", printable(path))}
	}
	return t, nil
}

// EntryOf is AT_ENTRY of an auxiliary vector (getauxval(3)), of a process or in a core: where the program starts.
func EntryOf(vector []byte) (entry uint64, ok bool) {
	const kind = 9
	for ; len(vector) >= 16; vector = vector[16:] {
		if binary.LittleEndian.Uint64(vector) == kind {
			return binary.LittleEndian.Uint64(vector[8:]), true
		}
	}
	return 0, false
}
