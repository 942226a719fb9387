package upstream

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPlantedBugsAreChosenWhenTheProgramRuns, two of them on one line.
func TestPlantedBugsAreChosenWhenTheProgramRuns(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":           "module sample\n\ngo 1.26.0\n",
		"main.go":          "package main\n\nimport \"sample/part\"\n\nfunc main() { print(part.Answer()) }\n",
		"part/part.go":     "package part\n\nfunc other() int { a := 1; return a }\n\nfunc Answer() int {\n\tvar a int\n\ta = 1\n\treturn a\n}\n",
		"part/windows.go":  "//go:build windows\n\npackage part\n\nfunc Answer() int {\n\ta := 1\n\treturn a\n}\n",
		"part/left_out.go": "//go:build ignore\n\npackage part\n\nfunc Answer() int { return 0 }\n",
	} {
		path := filepath.Join(folder, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	lines := PlantAll(t, folder, []Bug{
		{Name: "two", Package: "part", Function: "func Answer(", Right: "a = 1", Wrong: "a = 2"},
		{Name: "three", Package: "part", Function: "func Answer(", Right: "a = 1", Wrong: "a = 3"},
		{Name: "nothing", Package: "part", Function: "func Answer(", Right: "return a", Wrong: "return 0"},
	})
	require.Equal(t, map[string]string{"two": "part.go:7", "three": "part.go:7", "nothing": "part.go:8"}, lines)
	program := filepath.Join(folder, "sample")
	Go(t, folder, "build", "-o", program, ".")
	for bug, want := range map[string]string{"": "1", "two": "2", "three": "3", "nothing": "0"} {
		c := exec.Command(program)
		c.Env = append(os.Environ(), BugEnvironment+"="+bug)
		said, err := c.CombinedOutput()
		require.NoError(t, err)
		require.Equal(t, want, string(said), bug)
	}
}

// TestOneReportAndItsStacks are told from what else a program says.
func TestOneReportAndItsStacks(t *testing.T) {
	t.Parallel()
	const said = `go on
glassheap: overflow during free of 0x1
   allocated by  goroutine 1
                 main.make   main.go:1
   found by      goroutine 1
                 main.free   main.go:2
   next          glassheap whatis
glassheap: out-of-bounds during access of 0x2
   found by      goroutine 1
                 main.read   main.go:3

panic: …
                 main.late   main.go:4
`
	require.Equal(t, "   allocated by  goroutine 1\n                 main.make   main.go:1\n", stack(firstReport(said, ""), "allocated by"))
	require.Equal(t, "   found by      goroutine 1\n                 main.read   main.go:3\n", stack(firstReport(said, "during access of"), "found by"))
	require.NotContains(t, firstReport(said, ""), "out-of-bounds")
	require.Empty(t, firstReport(said, "live block"))
}
