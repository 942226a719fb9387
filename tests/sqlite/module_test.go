//go:build modules && linux

package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// repository is the root of the clone.
func repository(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	return root
}

// source copies the module, as the Go module proxy has it, to a folder that may be changed.
func source(t *testing.T, module string) string {
	t.Helper()
	c := exec.Command("go", "mod", "download", "-json", module)
	c.Stderr = os.Stderr
	said, err := c.Output()
	require.NoError(t, err, "%s", said)
	var downloaded struct{ Dir string }
	require.NoError(t, json.Unmarshal(said, &downloaded))
	folder := t.TempDir()
	require.NoError(t, os.CopyFS(folder, os.DirFS(downloaded.Dir)))
	require.NoError(t, filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return os.Chmod(path, 0o700)
		}
		return os.Chmod(path, 0o600)
	}))
	return folder
}

// goIn runs the go command in a folder.
func goIn(t *testing.T, folder string, arguments ...string) {
	t.Helper()
	c := exec.Command("go", arguments...)
	c.Dir = folder
	said, err := c.CombinedOutput()
	require.NoError(t, err, "%s\n%s", c, said)
}

// onGlassheap is what README.md tells the users of a module to do.
func onGlassheap(t *testing.T, folder string) {
	t.Helper()
	root := repository(t)
	goIn(t, folder, "mod", "edit", "-replace", "modernc.org/memory="+root+"/allocator/modernc", "-replace", "github.com/glassheap/glassheap="+root)
	goIn(t, folder, "mod", "tidy")
}

// testProgram builds the tests of a folder's package.
func testProgram(t *testing.T, folder string, flags ...string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "tests")
	goIn(t, folder, append(append([]string{"test", "-c"}, flags...), "-o", program, ".")...)
	return program
}
