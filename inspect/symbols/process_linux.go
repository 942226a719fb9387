package symbols

import (
	"bytes"
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
		entry, _ := EntryOf(after)
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
	entry, _ := EntryOf(after)
	return Origin{BuildID: id, Entry: entry}, err
}

var errAnotherProgram = &BiasError{"the process became another program just now"}
