package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// inProgram is what glassheapvet says of testdata/program, by the check that says it.
var inProgram = map[string][]string{
	"gopointer": {
		"main.go:32:16: a main.user can't live off-heap: main.user.name (string) is a Go pointer, which the collector would not see",
	},
	"lostrealloc": {
		"main.go:54:2: the result of h.Realloc(b, 1000) is lost: the block may have moved; keep what Realloc returns",
	},
	"useafterfree": {
		"main.go:29:22: b is passed after h.Free(b) in line 26: free it last",
		"main.go:45:9: Free gives back what the deferred h.Free(line) in line 42 frees again: free it once",
	},
	"wrongfree": {
		"main.go:45:3: h.Free(line): this is not where the block starts: free all of it, as it was returned",
	},
}

// said is what some checks say, sorted: go vet runs the checks at the same time.
func said(checks ...string) string {
	var lines []string
	for _, c := range checks {
		lines = append(lines, inProgram[c]...)
	}
	return sorted(strings.Join(lines, "\n"))
}

func sorted(text string) string {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// TestBothWaysToRunIt builds the command and looks at a module that uses the allocator itself.
func TestBothWaysToRunIt(t *testing.T) {
	tool := filepath.Join(t.TempDir(), "glassheapvet")
	build, err := exec.Command("go", "build", "-o", tool, ".").CombinedOutput()
	require.NoError(t, err, "%s", build)
	all := said("gopointer", "lostrealloc", "useafterfree", "wrongfree")
	for name, c := range map[string]struct {
		command []string
		folder  string
		output  string
		status  int
	}{
		"as go vet's tool":      {[]string{"go", "vet", "-vettool=" + tool, "./..."}, "program", all, 1},
		"by itself":             {[]string{tool, "./..."}, "program", all, 1},
		"one check":             {[]string{tool, "-wrongfree", "./..."}, "program", said("wrongfree"), 1},
		"all but one":           {[]string{tool, "-useafterfree=false", "./..."}, "program", said("gopointer", "lostrealloc", "wrongfree"), 1},
		"what has no mistake":   {[]string{tool, "./..."}, "correct", "", 0},
		"what can't be found":   {[]string{tool, "./nowhere"}, "program", "directory not found", 1},
		"a flag of nobody's":    {[]string{tool, "-nonsense", "./..."}, "program", "flag provided but not defined: -nonsense", 2},
		"without any arguments": {[]string{tool}, "program", "glassheapvet finds the obvious mistakes", 2},
	} {
		t.Run(name, func(t *testing.T) {
			run := exec.Command(c.command[0], c.command[1:]...)
			run.Dir = filepath.Join("..", "..", "testdata", c.folder)
			run.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
			output, err := run.CombinedOutput()
			status := 0
			if failed := (*exec.ExitError)(nil); errors.As(err, &failed) {
				status = failed.ExitCode()
			} else {
				require.NoError(t, err)
			}
			switch name {
			case "what can't be found", "a flag of nobody's", "without any arguments":
				require.Contains(t, string(output), c.output)
			default:
				require.Equal(t, c.output, sorted(string(output)))
			}
			require.Equal(t, c.status, status, "%s", output)
		})
	}
}
