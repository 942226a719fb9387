package symbols_test

import (
	"bytes"
	"debug/elf"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/inspect/symbols"
)

// large is the largest Go program that every machine with Go has.
func large(b *testing.B) (path string, text *elf.Section) {
	out, err := exec.Command("go", "tool", "-n", "compile").Output()
	require.NoError(b, err)
	path = strings.TrimSpace(string(out))
	file, err := elf.Open(path)
	if err != nil {
		b.Skipf("%v", err)
	}
	defer file.Close()
	return path, file.Section(".text")
}

// BenchmarkOpen opens a large program; "scanned" has no section headers, so that its tables have to be looked for.
func BenchmarkOpen(b *testing.B) {
	path, text := large(b)
	raw, err := os.ReadFile(path)
	require.NoError(b, err)
	scanned := bytes.Clone(raw)
	clear(scanned[0x28:0x30])
	clear(scanned[0x3c:0x40])
	withoutHeaders := b.TempDir() + "/scanned"
	require.NoError(b, os.WriteFile(withoutHeaders, scanned, 0o600))
	for name, path := range map[string]string{"sections": path, "scanned": withoutHeaders} {
		b.Run(name, func(b *testing.B) {
			b.ReportMetric(float64(len(raw))/1e6, "MB")
			b.ReportAllocs()
			for b.Loop() {
				table, err := symbols.OpenFile(path)
				require.NoError(b, err)
				require.NotEmpty(b, table.Frames(text.Addr+text.Size/2))
				require.NoError(b, table.Close())
			}
		})
	}
}

// BenchmarkFrames looks up addresses that were not asked for before, and such that were.
func BenchmarkFrames(b *testing.B) {
	path, text := large(b)
	for name, step := range map[string]uint64{"new": 10_007, "known": 0} {
		b.Run(name, func(b *testing.B) {
			table := open(b, path)
			b.ReportAllocs()
			pc := text.Addr + text.Size/2
			frames := 0
			for b.Loop() {
				frames += len(table.Frames(pc))
				pc = text.Addr + (pc-text.Addr+step)%text.Size
			}
			b.ReportMetric(float64(frames)/float64(b.N), "frames/op")
		})
	}
}
