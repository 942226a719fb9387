package symbols_test

import (
	"debug/elf"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/inspect/symbols"
)

func TestBias(t *testing.T) {
	path := build(t, "-buildmode=pie", nil, "-buildmode=pie")
	file, err := elf.Open(path)
	require.NoError(t, err)
	defer file.Close()
	table := open(t, path)

	const bias uint64 = 0x5555_5555_5000
	var mapped []symbols.Mapping
	for _, p := range file.Progs {
		if p.Type == elf.PT_LOAD {
			start, end := (p.Vaddr+bias)&^4095, (p.Vaddr+p.Filesz+bias+4095)&^4095
			mapped = append(mapped, symbols.Mapping{Start: start, End: end, Offset: p.Off &^ 4095})
		}
	}
	require.Greater(t, len(mapped), 2)
	got, err := table.Bias(mapped)
	require.NoError(t, err)
	require.Equal(t, bias, got)
	got, err = table.BiasOfEntry(file.Entry + bias)
	require.NoError(t, err)
	require.Equal(t, bias, got)

	// Somebody, perhaps this very process, has mapped the file to read it.
	read := symbols.Mapping{Start: 0x7000_0000_0000, End: 0x7000_1000_0000}
	got, err = table.Bias(append([]symbols.Mapping{read}, mapped...))
	require.NoError(t, err)
	require.Equal(t, bias, got)

	again := slices.Clone(mapped)
	for i := range again {
		again[i].Start += 1 << 32
		again[i].End += 1 << 32
	}
	var odd *symbols.BiasError
	for name, wrong := range map[string][]symbols.Mapping{
		"none":           nil,
		"only to read":   {read},
		"read twice":     {read, {Start: 0x7100_0000_0000, End: 0x7100_1000_0000}},
		"one is missing": mapped[1:],
		"loaded twice":   append(slices.Clone(mapped), again...),
		"nonsense":       {{Start: 1 << 63, End: 1, Offset: 1<<64 - 1}, {}, {Start: 5, End: 4, Offset: 3}},
	} {
		_, err = table.Bias(wrong)
		require.ErrorAs(t, err, &odd, name)
	}
	var many []symbols.Mapping // of which any two agree, and nothing fits
	for i := range uint64(1 << 18) {
		many = append(many, symbols.Mapping{Start: i << 20, End: i<<20 + 4096}, symbols.Mapping{Start: i<<20 + 8192, End: i<<20 + 12288, Offset: 8192})
	}
	_, err = table.Bias(many)
	require.ErrorAs(t, err, &odd)
	_, err = table.BiasOfEntry(file.Entry + bias + 1)
	require.ErrorAs(t, err, &odd)
	_, err = table.BiasOfEntry(0)
	require.ErrorAs(t, err, &odd)
}

func TestBiasOfWhatIsLinkedForOneAddress(t *testing.T) {
	file, err := elf.Open(plain(t))
	require.NoError(t, err)
	defer file.Close()
	table := open(t, plain(t))
	bias, err := table.BiasOfEntry(file.Entry)
	require.NoError(t, err)
	require.Zero(t, bias)
	_, err = table.BiasOfEntry(file.Entry + 0x1000)
	var odd *symbols.BiasError
	require.ErrorAs(t, err, &odd)
}
