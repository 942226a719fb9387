package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/allocator/layout"
)

// mostTaken is how much memory a glassheap may take for a file that lies.
const mostTaken = 512 << 20

// TestHeadersThatLie: whatever count a header claims, check finds that it is wrong, and does not take the memory for it.
func TestHeadersThatLie(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lies.heap")
	h, err := allocator.New(allocator.Options{Name: "lies", Backing: allocator.BackingFile, Path: path})
	require.NoError(t, err)
	for range 100 {
		_, err := h.Alloc(100)
		require.NoError(t, err)
	}
	require.Error(t, h.Close(), "its blocks are live")
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	require.NoError(t, err)
	defer file.Close()
	whole := make([]byte, layout.HeaderBytes)
	_, err = file.ReadAt(whole, 0)
	require.NoError(t, err)
	var header layout.Header
	copy(layout.Bytes(&header), whole)
	id := header.Identity
	kind := reflect.TypeFor[layout.Header]()
	for i := range kind.NumField() {
		f := kind.Field(i)
		if f.Type.Kind() != reflect.Uint64 {
			continue
		}
		for _, lie := range []uint64{1 << 40, id.DescriptorsEnd, id.RecordsEnd, uint64(id.ArenasMax)} {
			lying := header
			reflect.ValueOf(&lying).Elem().Field(i).SetUint(lie)
			_, err := file.WriteAt(layout.Bytes(&lying), 0)
			require.NoError(t, err)
			what := fmt.Sprintf("%s %#x", f.Name, lie)
			c := exec.Command("glassheap", "check", path)
			c.Env = append(os.Environ(), raceSetting)
			out, err := c.CombinedOutput()
			if status := c.ProcessState.ExitCode(); f.Tag.Get("layout") != "statistic" || status != 0 { // nothing depends on a statistic
				require.Equal(t, 1, status, "%s: %v\n%s", what, err, out)
			}
			taken := c.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10
			require.LessOrEqual(t, taken, int64(mostTaken), what)
		}
	}
}
