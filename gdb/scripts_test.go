package gdb

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/internal/debugging"
)

func TestUnpackIsWholeOrNotThere(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "cache")
	script, err := Unpack(folder)
	require.NoError(t, err)
	files, err := scripts()
	require.NoError(t, err)
	require.Contains(t, files, "glassheap_gdb/schema.json")
	require.True(t, holds(filepath.Dir(script), files))

	info, err := os.Stat(filepath.Dir(script))
	require.NoError(t, err)
	require.EqualValues(t, 0o700, info.Mode().Perm(), "GDB runs what lies there: nobody else may write it")

	again, err := Unpack(folder)
	require.NoError(t, err)
	require.Equal(t, script, again)

	// Somebody has changed a script, or cut one off.
	require.NoError(t, os.WriteFile(filepath.Join(filepath.Dir(script), "glassheap_gdb", "heap.py"), []byte("import os"), 0o600))
	_, err = Unpack(folder)
	require.NoError(t, err)
	require.True(t, holds(filepath.Dir(script), files))

	var wg sync.WaitGroup
	other := filepath.Join(t.TempDir(), "race")
	for range 8 {
		wg.Go(func() {
			script, err := Unpack(other)
			require.NoError(t, err)
			require.True(t, holds(filepath.Dir(script), files))
		})
	}
	wg.Wait()
	left, err := os.ReadDir(other)
	require.NoError(t, err)
	require.Len(t, left, 1, "nothing unfinished stays behind")

	require.NoError(t, os.WriteFile(filepath.Join(folder, "file"), nil, 0o600))
	_, err = Unpack(filepath.Join(folder, "file"))
	require.ErrorContains(t, err, "the scripts can't be written")
}

func TestAnotherVersionGetsAnotherFolder(t *testing.T) {
	files, err := scripts()
	require.NoError(t, err)
	name := folderName(files)
	require.Regexp(t, regexp.MustCompile(`^gdb-[0-9a-f]{16}$`), name)
	files["glassheap.py"] = append([]byte("# new\n"), files["glassheap.py"]...)
	require.NotEqual(t, name, folderName(files))
}

// TestPythonIsClean compiles the scripts with every warning an error, and looks for what must not be in them.
func TestPythonIsClean(t *testing.T) {
	script := unpackedInto(t, t.TempDir())
	files, err := scripts()
	require.NoError(t, err)
	for path, content := range files {
		if !strings.HasSuffix(path, ".py") {
			continue
		}
		require.Regexp(t, `^"""\S`, string(content), "%s begins with what it is about", path)
		for _, writes := range []string{"write_memory", "set var", ".call(", "gdb.execute(\"call", "print("} {
			require.NotContains(t, string(content), writes, "%s: nothing is ever written to the program, nor past GDB", path)
		}
		for i, line := range strings.Split(string(content), "\n") {
			require.LessOrEqual(t, len([]rune(line)), 180, "%s:%d", path, i+1)
			require.Equal(t, strings.TrimRight(line, " \t"), line, "%s:%d", path, i+1)
		}
	}
	python, err := exec.LookPath("python3")
	if err != nil {
		debugging.Skip(t, "python3 is not installed (apt-get install python3): the scripts are not compiled with warnings as errors")
	}
	out, err := exec.Command(python, "-W", "error", "-m", "compileall", "-q", filepath.Dir(script)).CombinedOutput()
	require.NoError(t, err, "%s", out)
}

func unpackedInto(t *testing.T, folder string) string {
	script, err := Unpack(folder)
	require.NoError(t, err)
	return script
}
