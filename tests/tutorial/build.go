package tutorial

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const module = "github.com/glassheap/glassheap"

// Build builds the lesson's program in a folder, with the mistake in it and with every variable left for a debugger to show.
// The clone itself is not changed. It returns the program's path.
func (l Lesson) Build(ctx context.Context, folder string) (program string, err error) {
	arguments := []string{"build", "-gcflags=all=-N -l"}
	if l.Mistake != (Mistake{}) {
		overlay, err := l.Mistake.overlay(ctx, folder)
		if err != nil {
			return "", err
		}
		arguments = append(arguments, "-overlay", overlay)
	}
	program = filepath.Join(folder, l.Name)
	if _, err := run(ctx, append(arguments, "-o", program, module+"/tests/tutorial/"+l.Name)...); err != nil {
		return "", err
	}
	return program, nil
}

// overlay writes the file with the mistake in it, and beside it what tells the go command to build that one.
func (m Mistake) overlay(ctx context.Context, folder string) (path string, err error) {
	allocator, err := run(ctx, "list", "-f", "{{.Dir}}", module+"/allocator")
	if err != nil {
		return "", err
	}
	source := filepath.Join(allocator, filepath.FromSlash(m.File))
	text, err := os.ReadFile(source)
	if err != nil {
		return "", err
	}
	changed, err := m.plant(string(text))
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

// plant makes the mistake in a file's text.
func (m Mistake) plant(text string) (string, error) {
	if n := strings.Count(text, m.Right); n != 1 {
		return "", fmt.Errorf("allocator/%s has this %d times, not once: %s; the lesson in tests/tutorial/lesson.go has to follow", m.File, n, strings.TrimSpace(m.Right))
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
