package symbols

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"strconv"
)

// OpenProcess opens the executable that a process runs, even when its file was deleted or replaced since, and rebases it to
// where it was loaded.
func OpenProcess(pid int) (*Table, error) {
	dir := "/proc/" + strconv.Itoa(pid)
	before, err := readAuxiliary(dir)
	if err != nil {
		return nil, err
	}
	t, err := OpenFile(dir + "/exe")
	if err != nil {
		return nil, err
	}
	// The kernel gives each execution random bytes of its own, at an address of their own: while the vector is the same, the
	// process has not become another program.
	after, err := readAuxiliary(dir)
	if err == nil && !bytes.Equal(before, after) {
		err = errAnotherProgram
	}
	var bias uint64
	if err == nil {
		entry, _ := entryOf(after)
		bias, err = t.BiasOfEntry(entry)
	}
	if err != nil {
		t.Close()
		return nil, err
	}
	t.Rebase(bias)
	return t, nil
}

const mostAuxiliaryBytes = 16 << 10

func readAuxiliary(dir string) ([]byte, error) {
	file, err := os.Open(dir + "/auxv")
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, mostAuxiliaryBytes))
}

// entryOf is AT_ENTRY of an auxiliary vector (getauxval(3)): where the program starts.
func entryOf(vector []byte) (uint64, bool) {
	const entry = 9
	for ; len(vector) >= 16; vector = vector[16:] {
		if binary.LittleEndian.Uint64(vector) == entry {
			return binary.LittleEndian.Uint64(vector[8:]), true
		}
	}
	return 0, false
}

// OriginOf tells which executable a process runs, and where it was loaded.
func OriginOf(pid int) (Origin, error) {
	dir := "/proc/" + strconv.Itoa(pid)
	before, err := readAuxiliary(dir)
	if err != nil {
		return Origin{}, err
	}
	file, err := openExecutable(dir + "/exe")
	if err != nil {
		return Origin{}, err
	}
	defer file.Close()
	id, err := BuildID(file)
	if err != nil && !errors.Is(err, ErrNoBuildID) {
		return Origin{}, err
	}
	after, err := readAuxiliary(dir)
	if err == nil && !bytes.Equal(before, after) {
		err = errAnotherProgram
	}
	entry, _ := entryOf(after)
	return Origin{BuildID: id, Entry: entry}, err
}

var errAnotherProgram = &BiasError{"the process became another program just now"}
