// Package planted builds programs with a mistake planted in them, by an overlay: the sources stay as they are.
package planted

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
)

// Module is the path that the packages of this repository begin with.
const Module = "github.com/glassheap/glassheap"

// Mistake is a change of one file. The zero Mistake changes nothing.
type Mistake struct {
	Package string // "allocator": its folder in this repository, of whichever module
	File    string // from the package's folder
	Right   string // occurs once in it
	Wrong   string // stands in its place
}

// Build builds a package of this repository in a folder, with the mistake in it, and returns the program's path. What the package
// needs is what its own module says, which may be another one than this process's.
func Build(ctx context.Context, folder, pkg string, m Mistake, flags ...string) (program string, err error) {
	if folder, err = filepath.Abs(folder); err != nil {
		return "", err
	}
	source, err := Folder(ctx, pkg)
	if err != nil {
		return "", err
	}
	arguments := append([]string{"build", "-C", source}, flags...)
	if m != (Mistake{}) {
		overlay, err := m.overlay(ctx, folder)
		if err != nil {
			return "", err
		}
		arguments = append(arguments, "-overlay", overlay)
	}
	program = filepath.Join(folder, path.Base(pkg))
	if _, err := run(ctx, append(arguments, "-o", program, ".")...); err != nil {
		return "", err
	}
	return program, nil
}

// Source is the path of the file.
func (m Mistake) Source(ctx context.Context) (string, error) {
	folder, err := Folder(ctx, m.Package)
	if err != nil {
		return "", err
	}
	return filepath.Join(folder, filepath.FromSlash(m.File)), nil
}

// overlay writes the file with the mistake in it, and beside it what tells the go command to build that one.
func (m Mistake) overlay(ctx context.Context, folder string) (path string, err error) {
	source, err := m.Source(ctx)
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(source)
	if err != nil {
		return "", err
	}
	changed, err := m.Plant(string(text))
	if err != nil {
		return "", err
	}
	planted := filepath.Join(folder, filepath.Base(m.File))
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {source: planted}})
	if err != nil {
		return "", err
	}
	path = filepath.Join(folder, "overlay.json")
	return path, errors.Join(os.WriteFile(planted, []byte(changed), 0o600), os.WriteFile(path, replace, 0o600))
}

// Plant makes the mistake in the file's text.
func (m Mistake) Plant(text string) (string, error) {
	if n := strings.Count(text, m.Right); n != 1 {
		return "", fmt.Errorf("%s/%s has this %d times, not once: %s; the mistake to be planted there has to follow", m.Package, m.File, n, strings.TrimSpace(m.Right))
	}
	return strings.Replace(text, m.Right, m.Wrong, 1), nil
}

// run runs the go command and returns what it has printed.
func run(ctx context.Context, arguments ...string) (string, error) {
	var complaints strings.Builder
	c := exec.CommandContext(ctx, "go", arguments...)
	c.Stderr = &complaints
	out, err := c.Output()
	if err != nil {
		return "", fmt.Errorf("go %s: %w\n%s", arguments[0], err, complaints.String())
	}
	return strings.TrimSpace(string(out)), nil
}
