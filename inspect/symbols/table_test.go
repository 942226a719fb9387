package symbols_test

import (
	"bytes"
	"debug/elf"
	"debug/gosym"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/inspect/symbols"
)

// TestAnotherArchitecture compares with what debug/gosym, which knows no inlined calls, makes of a program that can't run here.
func TestAnotherArchitecture(t *testing.T) {
	for _, way := range []string{"-buildmode=exe", "-buildmode=pie"} {
		path := build(t, "arm64"+way, []string{"GOOS=linux", "GOARCH=arm64", "CGO_ENABLED=0"}, way)
		file, err := elf.Open(path)
		require.NoError(t, err)
		defer file.Close()
		data, err := file.Section(".gopclntab").Data()
		require.NoError(t, err)
		lines := gosym.NewLineTable(data, file.Section(".text").Addr)
		functions, err := gosym.NewTable(nil, lines)
		require.NoError(t, err)
		table := open(t, path)
		compared, inlined := 0, 0
		for _, f := range functions.Funcs {
			if f.Entry == f.End || strings.Contains(f.Name, "[") { // gosym prints the types
				continue
			}
			for pc := f.Entry + 4; pc < f.End; pc += 36 {
				frames := table.Frames(pc)
				require.NotEmpty(t, frames)
				outer := frames[len(frames)-1]
				if len(frames) == 1 || !outer.Inlined {
					require.Equal(t, f.Entry, outer.Entry)
				}
				file, line, fn := functions.PCToLine(pc - 1)
				require.NotNil(t, fn)
				if line > 0 && !strings.HasPrefix(fn.Name, "go:") {
					require.Equal(t, file, frames[0].File, "%#x in %s", pc, f.Name)
					require.Equal(t, line, frames[0].Line, "%#x in %s", pc, f.Name)
				}
				if !outer.Inlined {
					require.Equal(t, f.Name, outer.Function)
				}
				compared++
				inlined += len(frames) - 1
			}
		}
		t.Logf("%d addresses, %d frames of inlined calls", compared, inlined)
		require.Greater(t, compared, 10_000)
		require.Greater(t, inlined, 1000)
	}
}

func TestAddressesOutsideOfTheCode(t *testing.T) {
	table := open(t, plain(t))
	for _, pc := range []uint64{0, 1, 0x1000, 1 << 40, 1<<64 - 1} {
		require.Empty(t, table.Frames(pc))
		require.Empty(t, table.Stack([]uint64{pc, pc}))
	}
	require.Empty(t, table.Stack(nil))
}

// TestManyAtOnce is for the race detector, and has more addresses than are kept.
func TestManyAtOnce(t *testing.T) {
	table := open(t, plain(t))
	file, err := elf.Open(plain(t))
	require.NoError(t, err)
	defer file.Close()
	text := file.Section(".text")
	wanted := table.Frames(file.Entry)
	require.NotEmpty(t, wanted)
	var wait sync.WaitGroup
	for i := range 4 {
		wait.Go(func() {
			for pc := text.Addr + uint64(i); pc < text.Addr+text.Size; pc += 61 {
				table.Frames(pc)
			}
			if got := table.Frames(file.Entry); len(got) != len(wanted) || got[0] != wanted[0] {
				t.Errorf("%v, and before %v", got, wanted)
			}
		})
	}
	wait.Wait()
}

func TestRebase(t *testing.T) {
	table := open(t, plain(t))
	file, err := elf.Open(plain(t))
	require.NoError(t, err)
	defer file.Close()
	at := table.Frames(file.Entry)
	require.NotEmpty(t, at)
	for _, bias := range []uint64{0x10_0000_0000, 1<<64 - 0x1000, 0} {
		table.Rebase(bias)
		moved := table.Frames(file.Entry + bias)
		require.Len(t, moved, len(at))
		require.Equal(t, at[0].PC+bias, moved[0].PC)
		require.Equal(t, at[0].Entry+bias, moved[0].Entry)
		moved[0].PC, moved[0].Entry = at[0].PC, at[0].Entry
		require.Equal(t, at, moved)
	}
}

// TestControlSequencesInNames has a name that would clear the terminal.
func TestControlSequencesInNames(t *testing.T) {
	path := changed(t, plain(t), func(raw []byte) {
		at := bytes.Index(raw, []byte("\x00main.deep\x00"))
		require.Positive(t, at)
		copy(raw[at+1:], "\x1b[2J\n\xff\xfe\x80\x01")
	})
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	table, err := symbols.Open(bytes.NewReader(raw))
	require.NoError(t, err)
	file, err := elf.NewFile(bytes.NewReader(raw))
	require.NoError(t, err)
	list, err := file.Symbols()
	require.NoError(t, err)
	for _, s := range list {
		if s.Name == "main.deep" {
			frames := table.Frames(s.Value)
			require.Len(t, frames, 1)
			require.NotRegexp(t, `[[:cntrl:]]`, frames[0].Function)
			require.Contains(t, frames[0].Function, "[2J")
			return
		}
	}
	t.Fatal("there is no main.deep")
}
