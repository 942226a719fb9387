package matrix

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/glassheap/glassheap/internal/debugging"
)

const pagePath = "../../docs/detection.md"

const pageStart = `# What is found, and where

Each line is damage that a program did to its own heap. Each column is a door through which the heap was then asked whether
anything is wrong. A cell names the field that the answer named, with what it holds and should hold. Whatever else was said,
every door said the same.

- itself: the program, by package inspect; process: ~glassheap check PID~ while it runs; snapshot: one of the damaged heap;
  memfd: the memory file, by its path; structs: ~glassheap structs --wrong PID~
- --dlv: ~glassheap check --dlv~ through a headless Delve; gh_check, gh_structs: a terminal in the same session
- gdb: ~glassheap check~ at a breakpoint; core in gdb: cores of gcore; stripped in gdb: a program without symbols or DWARF, by
  the schema that its heap carries
- kernel's core, gcore, dlv dump: ~glassheap check CORE~ of a core that the kernel, gcore and Delve's ~dump~ made of the victim
- –: not asked

~go test ./tests/matrix -run TestMatrix -v -update~ asks again and writes this page. Without ~-update~ it is compared.
`

// page compares docs/detection.md with what was found, or writes it.
func (a *answers) page(t *testing.T, rows []row) {
	for _, door := range doors {
		if a.all[sealed][door] == nil {
			t.Logf("docs/detection.md is not compared: %s was not asked", door)
			return
		}
	}
	text := strings.ReplaceAll(pageStart, "~", "`") + "\n" + a.matrix(t, rows) + "\n## What is said\n\n" + a.said(t, rows)
	t.Logf("\n%s", text)
	debugging.Golden(t, pagePath, text, *update)
}

// matrix is the table of cases against doors.
func (a *answers) matrix(t *testing.T, rows []row) string {
	lines := [][]string{append([]string{"case", "heap"}, doors...)}
	for _, r := range rows {
		for _, mode := range r.modes {
			line := []string{r.name, mode}
			for _, door := range doors {
				line = append(line, a.cell(t, r, mode, door))
			}
			lines = append(lines, line)
		}
	}
	return markdown(lines)
}

// cell is what a door has said of a case.
func (a *answers) cell(t *testing.T, r row, mode, door string) string {
	var parts []string
	for i, s := range a.stops[mode] {
		switch {
		case s.name != r.name:
		case a.all[mode][door] == nil:
			return "–"
		case s.damaged:
			parts = append(parts, a.naming(t, r, mode, door, i).Field)
		case len(a.all[mode][door][i].findings) == 0:
			parts = append(parts, "healthy")
		}
	}
	return strings.Join(parts, ", then ")
}

// said is the table of what the doors say of each damage.
func (a *answers) said(t *testing.T, rows []row) string {
	lines := [][]string{{"case", "code", "struct", "field", "found", "expected", "further findings"}}
	for _, r := range rows {
		i := slices.IndexFunc(a.stops[sealed], func(s stop) bool { return s.name == r.name && s.damaged })
		f := a.naming(t, r, sealed, "process", i)
		expected := f.Expected
		if f.Why != "" {
			expected += " (" + f.Why + ")"
		}
		lines = append(lines, []string{r.name, f.Code, f.Struct, f.Field, f.Found, expected, fmt.Sprint(len(a.all[sealed]["process"][i].findings) - 1)})
	}
	return markdown(lines)
}

// markdown is a table; the first line is its head.
func markdown(lines [][]string) string {
	var b strings.Builder
	for i, line := range lines {
		b.WriteString("| " + strings.Join(line, " | ") + " |\n")
		if i == 0 {
			b.WriteString(strings.Repeat("|---", len(line)) + "|\n")
		}
	}
	return b.String()
}
