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

// withoutPointers leaves to the relocations what pointers will be, as lld does.
func withoutPointers(t *testing.T, path string) string {
	file, err := elf.Open(path)
	require.NoError(t, err)
	defer file.Close()
	relative := map[elf.Machine]uint64{
		elf.EM_X86_64: uint64(elf.R_X86_64_RELATIVE), elf.EM_AARCH64: uint64(elf.R_AARCH64_RELATIVE),
	}[file.Machine]
	require.NotZero(t, relative)
	return changed(t, path, func(raw []byte) {
		cleared := 0
		for _, s := range file.Sections {
			if s.Type != elf.SHT_RELA || s.Flags&elf.SHF_ALLOC == 0 {
				continue
			}
			table, err := s.Data()
			require.NoError(t, err)
			for ; len(table) >= 24; table = table[24:] {
				at := binary.LittleEndian.Uint64(table)
				for _, p := range file.Progs {
					if p.Type == elf.PT_LOAD && at >= p.Vaddr && at-p.Vaddr < p.Filesz && binary.LittleEndian.Uint64(table[8:]) == relative {
						clear(raw[p.Off+at-p.Vaddr:][:8])
						cleared++
					}
				}
			}
		}
		require.Greater(t, cleared, 1000)
	})
}

// withoutEither finds the tables by their magic and the relocations alone.
func withoutEither(t *testing.T, path string) string {
	return withoutSections(t, withoutPointers(t, path))
}
