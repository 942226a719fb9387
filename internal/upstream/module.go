// Package upstream has the tests of other people's modules run on glassheap: it brings a copy of a module that may be changed.
package upstream

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Repository is the root of the clone, for a module two folders below it.
func Repository(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	return root
}

// Source copies a module, PATH@VERSION, as the Go module proxy has it, to a folder that may be changed. It goes with the test.
func Source(t *testing.T, module string) string {
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

// Go runs the go command in a folder. It has to succeed.
func Go(t *testing.T, folder string, arguments ...string) {
	t.Helper()
	c := exec.Command("go", arguments...)
	c.Dir = folder
	said, err := c.CombinedOutput()
	require.NoError(t, err, "%s\n%s", c, said)
}

// TestProgram builds the tests of a package, and returns the program's path. It goes with the test.
func TestProgram(t *testing.T, folder, name string, flags ...string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "tests")
	Go(t, folder, append(append([]string{"test", "-c"}, flags...), "-o", program, name)...)
	return program
}

// BuildWith builds a package of the module in this folder. A copy of a module takes the module's place, if one is given.
func BuildWith(t *testing.T, pkg, module, copied string) (program string) {
	t.Helper()
	folder := t.TempDir()
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		// Its relative paths, all of them in this repository, must hold from elsewhere.
		text = bytes.ReplaceAll(text, []byte("=> ../.."), []byte("=> "+Repository(t)))
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), text, 0o600))
	}
	modFile := filepath.Join(folder, "go.mod")
	if copied != "" {
		Go(t, ".", "mod", "edit", "-replace", module+"="+copied, modFile)
	}
	program = filepath.Join(folder, filepath.Base(pkg))
	Go(t, ".", "build", "-mod=mod", "-modfile="+modFile, "-o", program, pkg)
	return program
}
