package upstream

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/internal/planted"
)

// Bug is a mistake in one line of somebody else's function.
type Bug struct {
	Name     string
	Package  string // the package's folder in the module
	Function string // how the line begins with which the function does
	Right    string // statements of one line, which occur once in the function
	Wrong    string // stand in their place
}

// BugEnvironment is the environment variable that says which of the bugs that were planted a program is to have: its name.
const BugEnvironment = "PLANTED_BUG"

// PlantAll plants all bugs in the copy of a module, each where it belongs and on its very line, so that one build has all of them:
// at run time BugEnvironment chooses one, and without it the right statements run. It returns FILE:LINE of each by its name.
func PlantAll(t *testing.T, folder string, bugs []Bug) map[string]string {
	t.Helper()
	lines := map[string]string{}
	switches := map[string]bool{}
	for _, b := range bugs {
		require.NotContains(t, lines, b.Name, "two bugs of one name")
		file, line := b.plant(t, folder)
		lines[b.Name] = fmt.Sprintf("%s:%d", filepath.Base(file), line)
		if !switches[b.Package] {
			switches[b.Package] = true
			b.writeSwitch(t, folder, file)
		}
	}
	return lines
}

// plant plants the bug in that file of the package, of those that this system builds, which has the function.
func (b Bug) plant(t *testing.T, folder string) (file string, line int) {
	t.Helper()
	require.NotContains(t, b.Right+b.Wrong, "\n", "%s: not one line", b.Name)
	c := exec.Command("go", "list", "-f", `{{join .GoFiles "\n"}}`, "./"+b.Package)
	c.Dir, c.Stderr = folder, os.Stderr
	said, err := c.Output()
	require.NoError(t, err)
	for name := range strings.Lines(string(said)) {
		file = filepath.Join(folder, b.Package, strings.TrimSpace(name))
		bytes, err := os.ReadFile(file)
		require.NoError(t, err)
		text := string(bytes)
		begin := strings.Index(text, "\n"+b.Function)
		if begin < 0 {
			continue
		}
		end := strings.Index(text[begin:], "\n}\n")
		require.Positive(t, end)
		function := text[begin : begin+end]
		m := planted.Mistake{Package: b.Package, File: filepath.Base(file), Right: b.Right,
			Wrong: fmt.Sprintf("if plantedBug == %q { %s } else { %s }", b.Name, b.Wrong, b.Right)}
		changed, err := m.Plant(function)
		require.NoError(t, err, "%s", b.Function)
		require.NoError(t, os.WriteFile(file, []byte(text[:begin]+changed+text[begin+end:]), 0o600))
		return file, 1 + strings.Count(text[:begin]+function[:strings.Index(function, b.Right)], "\n")
	}
	require.Fail(t, "the function is not there any more; the bug has to follow", "%s: %s", b.Package, b.Function)
	return "", 0
}

// writeSwitch gives the package the variable that the planted lines look at.
func (b Bug) writeSwitch(t *testing.T, folder, file string) {
	t.Helper()
	c := exec.Command("go", "list", "-f", "{{.Name}}", "./"+b.Package)
	c.Dir, c.Stderr = folder, os.Stderr
	name, err := c.Output()
	require.NoError(t, err)
	text := fmt.Sprintf("package %s\n\nimport plantedos \"os\"\n\nvar plantedBug = plantedos.Getenv(%q)\n", strings.TrimSpace(string(name)), BugEnvironment)
	require.NoError(t, os.WriteFile(filepath.Join(filepath.Dir(file), "planted_bug.go"), []byte(text), 0o600))
}
