package symbols_test

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// withoutSections takes the section headers away: nothing that runs a program reads them.
func withoutSections(t *testing.T, path string) string {
	return changed(t, path, func(raw []byte) {
		clear(raw[0x28:0x30]) // e_shoff
		clear(raw[0x3c:0x40]) // e_shnum, e_shstrndx
	})
}

// withOddSections has the sections of the tables say that they are elsewhere.
func withOddSections(t *testing.T, path string) string {
	file, err := elf.Open(path)
	require.NoError(t, err)
	defer file.Close()
	return changed(t, path, func(raw []byte) {
		at := binary.LittleEndian.Uint64(raw[0x28:])
		for i, s := range file.Sections {
			if s.Name == ".gopclntab" || s.Name == ".go.module" {
				binary.LittleEndian.PutUint64(raw[at+uint64(64*i)+0x10:], s.Addr+0x40)
			}
		}
	})
}

func changed(t testing.TB, path string, change func([]byte)) string {
	t.Helper()
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	before := bytes.Clone(raw)
	change(raw)
	require.NotEqual(t, before, raw)
	result := filepath.Join(t.TempDir(), "changed")
	require.NoError(t, os.WriteFile(result, raw, 0o700))
	return result
}
