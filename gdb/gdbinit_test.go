package gdb

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/internal/debugging"
)

// TestInstallAndUninstallLeaveEverythingElse: whatever was in the file, it is there again afterwards, byte by byte.
func TestInstallAndUninstallLeaveEverythingElse(t *testing.T) {
	for name, before := range map[string]string{
		"empty": "", "a line": "set pagination off\n", "no end of line": "set pagination off", "blank lines": "\n\nset confirm off\n\n\n",
		"foreign line ends": "set confirm off\r\nset pagination off\r\n", "half a block": blockStart + "\nsomebody cut it\n",
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "gdbinit")
			require.NoError(t, os.WriteFile(file, []byte(before), 0o640))
			for range 2 {
				require.NoError(t, Install(file, "/cache/glassheap.py", "/bin/glassheap"))
			}
			content, err := os.ReadFile(file)
			require.NoError(t, err)
			require.Equal(t, 1+strings.Count(before, blockStart), strings.Count(string(content), blockStart), "twice is once")
			require.NoError(t, Install(file, "/cache/newer.py", ""))
			removed, err := Uninstall(file)
			require.NoError(t, err)
			require.True(t, removed)
			content, err = os.ReadFile(file)
			require.NoError(t, err)
			require.Equal(t, before, string(content))
			info, err := os.Stat(file)
			require.NoError(t, err)
			require.EqualValues(t, 0o640, info.Mode().Perm())
			removed, err = Uninstall(file)
			require.NoError(t, err)
			require.False(t, removed)
		})
	}
}

func TestAFileThatInstallMadeIsRemoved(t *testing.T) {
	file := filepath.Join(t.TempDir(), "new", "gdbinit")
	removed, err := Uninstall(file)
	require.NoError(t, err)
	require.False(t, removed)
	require.NoError(t, Install(file, "/s.py", ""))
	require.NoError(t, Install(file, "/s.py", ""))
	_, err = Uninstall(file)
	require.NoError(t, err)
	require.NoFileExists(t, file)

	// What somebody has added to it meanwhile stays.
	require.NoError(t, Install(file, "/s.py", ""))
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, append(content, "set confirm off\n"...), 0o600))
	_, err = Uninstall(file)
	require.NoError(t, err)
	content, err = os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, "set confirm off\n", string(content))
}

func TestASymbolicLinkStaysOne(t *testing.T) {
	folder := t.TempDir()
	real, link := filepath.Join(folder, "dotfiles"), filepath.Join(folder, "gdbinit")
	require.NoError(t, os.WriteFile(real, []byte("set confirm off\n"), 0o600))
	require.NoError(t, os.Symlink(real, link))
	require.NoError(t, Install(link, "/s.py", ""))
	target, err := os.Readlink(link)
	require.NoError(t, err)
	require.Equal(t, real, target)
	content, err := os.ReadFile(real)
	require.NoError(t, err)
	require.Contains(t, string(content), blockStart)
}

// TestGDBReadsTheFile that InitFile names: a home folder with nothing, with the old file, with the new one, with both.
func TestGDBReadsTheFile(t *testing.T) {
	gdb := needGDB(t)
	binary := debugging.Program(t, debugging.Command) // built before HOME changes: Go's cache of builds is there
	for name, files := range map[string][]string{"none": nil, "old": {".gdbinit"}, "new": {".config/gdb/gdbinit"}, "both": {".gdbinit", ".config/gdb/gdbinit"}} {
		t.Run(name, func(t *testing.T) {
			home := t.TempDir()
			t.Setenv("HOME", home)
			t.Setenv("XDG_CONFIG_HOME", "")
			for _, file := range files {
				file = filepath.Join(home, file)
				require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o700))
				require.NoError(t, os.WriteFile(file, []byte("echo mine\\n\n"), 0o600))
			}
			file, err := InitFile()
			require.NoError(t, err)
			run := func() string {
				out, err := exec.Command(gdb.Path, "-q", "-batch", "-ex", "glassheap help", "-ex", "python import os; print(os.environ.get('GLASSHEAP_BINARY'))").CombinedOutput()
				_ = err
				return string(out)
			}
			require.NoError(t, Install(file, gdb.Scripts, binary))
			out := run()
			require.Contains(t, out, "is anything wrong?")
			require.Contains(t, out, binary)
			require.Equal(t, len(files) > 0, strings.Contains(out, "mine"), "%s", out)
			require.NoError(t, Install(file, filepath.Join(home, "gone.py"), filepath.Join(home, "gone")))
			out = run()
			require.Contains(t, out, "its scripts are gone")
			require.Contains(t, out, "None")
			require.Equal(t, len(files) > 0, strings.Contains(out, "mine"), "the rest of the file is read all the same: %s", out)
			_, err = Uninstall(file)
			require.NoError(t, err)
			require.NotContains(t, run(), "is anything wrong?")
		})
	}
}
