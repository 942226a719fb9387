package target

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator/layout"
)

// heapBytes is something that starts as a heap does.
func heapBytes(bytes int) []byte {
	id := layout.Identity{Magic: layout.Magic, Version: layout.Version, Base: 0x7f0000000000}
	copy(id.Name[:], "in bytes")
	id.Checksum = id.Sum()
	h := layout.Header{Identity: id, Twin: id}
	b := make([]byte, bytes)
	copy(b, layout.Bytes(&h))
	return b
}

func write(t testing.TB, name string, content []byte) (path string) {
	path = filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, content, 0o600))
	return path
}

func TestFile(t *testing.T) {
	content := heapBytes(10_000)
	copy(content[9000:], "something")
	path := write(t, "x.heap", content)
	for _, open := range []func() (Target, error){
		func() (Target, error) { return OpenFile(path) },
		func() (Target, error) { return Open(t.Context(), path, Options{}) },
	} {
		opened, err := open()
		require.NoError(t, err)
		require.EqualValues(t, len(content), opened.Size())
		require.Zero(t, opened.Base())
		require.Equal(t, Description{Kind: KindFile, Path: path, Heap: "in bytes", Door: "heap file"}, opened.Description())
		require.Equal(t, "heap file x.heap", opened.Description().String())
		p := make([]byte, len(content)+5)
		n, err := opened.ReadAt(p, 0)
		require.ErrorContains(t, err, "EOF")
		require.Equal(t, content, p[:n])
		require.NoError(t, opened.Close())
	}
}

func TestFileWithDamagedMagic(t *testing.T) {
	for damaged := 0; damaged < 3; damaged++ {
		content := heapBytes(10_000)
		for i, at := range copies {
			if i == damaged || damaged == 2 {
				content[at] ^= 1
			}
		}
		opened, err := OpenFile(write(t, "x.heap", content))
		if damaged == 2 {
			require.ErrorAs(t, err, new(*FormatError))
			continue
		}
		require.NoError(t, err)
		require.Equal(t, "in bytes", opened.Description().Heap)
		require.NoError(t, opened.Close())
	}
}

// TestRecognise prefers the copy whose checksum is right.
func TestRecognise(t *testing.T) {
	header := heapBytes(headerBytes)
	for _, at := range copies {
		damaged := bytes.Clone(header)
		damaged[at+100]++ // the name or its neighbours; the magic stays
		id, ok := recognise(damaged, 0)
		require.True(t, ok)
		require.Equal(t, id.Sum(), id.Checksum)
	}
	_, ok := recognise(header, 0x7f0000000000)
	require.True(t, ok)
	_, ok = recognise(header, 0x7f0000001000)
	require.False(t, ok)
	for n := range headerBytes {
		_, ok := recognise(header[:n], 0)
		require.Equal(t, n >= copies[1], ok, n)
	}
}

func TestNoHeapFile(t *testing.T) {
	executable, err := os.Executable()
	require.NoError(t, err)
	for path, found := range map[string]string{
		write(t, "empty", nil):                        "it is empty",
		write(t, "short", []byte("GLASHEAP")):         "it starts with 47 4c 41 53 48 45 41 50",
		write(t, "zeros", make([]byte, 5000)):         "it starts with zeros",
		write(t, "text", []byte("hello, hello")):      "it starts with 68 65 6c 6c 6f 2c 20 68",
		t.TempDir():                                   "it is a directory",
		os.DevNull:                                    "it is not a regular file",
		write(t, "short.snapshot", []byte("GLASSNA")): "it starts with",
	} {
		_, err := Open(t.Context(), path, Options{})
		require.ErrorAs(t, err, new(*FormatError), path)
		require.ErrorContains(t, err, path+" is neither a heap file, a snapshot nor a core: "+found)
		_, err = OpenFile(path)
		require.ErrorAs(t, err, new(*FormatError), path)
		_, err = OpenSnapshot(path)
		require.ErrorAs(t, err, new(*FormatError), path)
	}
	_, err = OpenFile(executable)
	require.ErrorAs(t, err, new(*FormatError))
	for _, open := range []func(string) (Target, error){OpenFile, OpenSnapshot, pathOpener(t)} {
		_, err = open(filepath.Join(t.TempDir(), "no such\x1b[31m"))
		var missing *NotFoundError
		require.ErrorAs(t, err, &missing)
		require.ErrorIs(t, err, fs.ErrNotExist)
		require.NotContains(t, err.Error(), "\x1b")
	}
	_, err = Open(t.Context(), "", Options{})
	require.ErrorAs(t, err, new(*NotFoundError))
}

func TestFromBytes(t *testing.T) {
	m := FromBytes([]byte("0123456789"))
	require.EqualValues(t, 10, m.Size())
	require.Equal(t, "memory", m.Description().String())
	p := make([]byte, 4)
	n, err := m.ReadAt(p, 3)
	require.NoError(t, err)
	require.Equal(t, "3456", string(p[:n]))
	n, err = m.ReadAt(p, 8)
	require.ErrorContains(t, err, "EOF")
	require.Equal(t, "89", string(p[:n]))
	n, err = m.ReadAt(p, 10)
	require.ErrorContains(t, err, "EOF")
	require.Zero(t, n)
	_, err = m.ReadAt(p, -1)
	require.ErrorIs(t, err, errNegativeOffset)
	n, err = m.ReadAt(nil, 10)
	require.NoError(t, err)
	require.Zero(t, n)
	require.NoError(t, m.Close())
}

func TestDescription(t *testing.T) {
	taken := time.Date(2026, 11, 24, 18, 53, 7, 5e8, time.FixedZone("somewhere", 3600))
	for want, d := range map[string]Description{
		"process 4711":               {Kind: KindProcess, PID: 4711},
		"process 4711 (cacheserver)": {Kind: KindProcess, PID: 4711, Program: "cacheserver"},
		"snapshot x.snapshot of process 4711 (cacheserver), taken 2026-11-24 17:53:07 UTC": {
			Kind: KindSnapshot, Path: "/tmp/x.snapshot", PID: 4711, Program: "cacheserver", Taken: taken,
		},
		"snapshot": {Kind: KindSnapshot},
	} {
		require.Equal(t, want, d.String())
	}
	text, err := json.Marshal(Description{Kind: KindProcess, PID: 5, Program: "p", Door: "memfd"})
	require.NoError(t, err)
	require.JSONEq(t, `{"kind":"process","pid":5,"program":"p","door":"memfd"}`, string(text))
}

func TestPrintable(t *testing.T) {
	require.Equal(t, "grün ·[31m··x", printable("grün \x1b[31m\n\x00x"))
	require.Len(t, printable(string(make([]byte, 1<<20))), mostNameRunes*len("·"))
}

// pathOpener is OpenPath as the other functions that open a file.
func pathOpener(t testing.TB) func(path string) (Target, error) {
	return func(path string) (Target, error) { return OpenPath(t.Context(), path, Options{}) }
}
