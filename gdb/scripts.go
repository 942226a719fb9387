package gdb

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/glassheap/glassheap/allocator/layout"
)

//go:embed glassheap.py glassheap_gdb/*.py glassheap_gdb/commandline.json
var embedded embed.FS

// mainScript is what GDB loads.
const mainScript = "glassheap.py"

// scripts are the files of the scripts by their paths. Beside them lies the schema of this version's memory format, for heaps
// whose own is damaged.
func scripts() (map[string][]byte, error) {
	files := map[string][]byte{"glassheap_gdb/schema.json": layout.SchemaText()}
	err := fs.WalkDir(embedded, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		files[path], err = embedded.ReadFile(path)
		return err
	})
	return files, err
}

// folderName is the name of the folder for files: it changes with their contents, so that two versions don't meet in one.
func folderName(files map[string][]byte) string {
	sum := sha256.New()
	for _, path := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(sum, "%s %d\n", path, len(files[path]))
		sum.Write(files[path])
	}
	return "gdb-" + hex.EncodeToString(sum.Sum(nil))[:16]
}

// CacheFolder is where Unpack puts the scripts of the user.
func CacheFolder() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("there is no folder for the scripts: %w", err)
	}
	return filepath.Join(cache, "glassheap"), nil
}

// Unpack writes the scripts into a folder of their own below folder, unless they are there already, and returns the path of
// the one that GDB loads. The folder is there as a whole or not at all, whoever else unpacks at the same time.
func Unpack(folder string) (script string, err error) {
	files, err := scripts()
	if err != nil {
		return "", err
	}
	target := filepath.Join(folder, folderName(files))
	script = filepath.Join(target, mainScript)
	if holds(target, files) {
		return script, nil
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", fmt.Errorf("the scripts can't be written: %w", err)
	}
	fresh, err := os.MkdirTemp(folder, ".gdb-*.unfinished")
	if err != nil {
		return "", fmt.Errorf("the scripts can't be written: %w", err)
	}
	defer os.RemoveAll(fresh)
	for path, content := range files {
		path = filepath.Join(fresh, filepath.FromSlash(path))
		err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, content, 0o600))
		if err != nil {
			return "", fmt.Errorf("the scripts can't be written: %w", err)
		}
	}
	err = os.Rename(fresh, target)
	if err != nil && !holds(target, files) {
		// What is there was changed, or never was whole.
		if err = os.RemoveAll(target); err == nil {
			err = os.Rename(fresh, target)
		}
	}
	if err != nil && !holds(target, files) {
		return "", fmt.Errorf("the scripts can't be written: %w", err)
	}
	return script, nil
}

// holds reports whether a folder holds exactly these contents.
func holds(folder string, files map[string][]byte) bool {
	for path, content := range files {
		found, err := os.ReadFile(filepath.Join(folder, filepath.FromSlash(path)))
		if err != nil || !bytes.Equal(found, content) {
			return false
		}
	}
	return true
}
