package cases

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/target"
)

// outcome is what was told in one case.
type outcome struct {
	Program string // by the program itself
	Outside string // by check, through each door
}

// perform plays a case in a process of its own and looks at it through every door whenever it asks for that.
func perform(t *testing.T, name, mode string) outcome {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, os.Args[0])
	c.Env = append(os.Environ(), "GLASSHEAP_TEST_CASE="+name, "GLASSHEAP_TEST_MODE="+mode)
	var complaint strings.Builder
	c.Stderr = &complaint
	input, err := c.StdinPipe()
	require.NoError(t, err)
	output, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	defer func() {
		input.Close()
		err := c.Wait()
		require.NoError(t, err, "%s", complaint.String())
	}()
	var outside []string
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		var q question
		require.NoError(t, json.Unmarshal(lines.Bytes(), &q), "%s", lines.Text())
		if q.Done {
			_, _ = io.WriteString(input, "go on\n")
			return outcome{Program: strings.Join(q.Told, ", "), Outside: strings.Join(outside, ", then ")}
		}
		what := "healthy"
		if q.Lost != nil {
			looksForLost(t, c.Process.Pid, *q.Lost)
			what = "leak"
		} else {
			lookThroughEveryDoor(t, c.Process.Pid, q)
		}
		if q.Code != "" {
			what = string(q.Code)
		}
		if len(outside) == 0 || outside[len(outside)-1] != what {
			outside = append(outside, what)
		}
		_, err := io.WriteString(input, "go on\n")
		require.NoError(t, err)
	}
	t.Fatalf("the program ended too early:\n%s", complaint.String())
	return outcome{}
}

// lookThroughEveryDoor checks the heap of a process through its memory file while it runs, through the file alone, and in a
// snapshot. All must say the same.
func lookThroughEveryDoor(t *testing.T, pid int, q question) {
	ctx := context.Background()
	process, err := target.OpenProcess(pid, target.Options{Heap: "#1"})
	require.NoError(t, err)
	defer process.Close()
	looks(t, "process", process, q)
	snapshot := filepath.Join(t.TempDir(), "heap.snapshot")
	_, err = inspect.Snapshot(ctx, process, snapshot, inspect.SnapshotOptions{})
	require.NoError(t, err)
	for door, path := range map[string]string{"snapshot": snapshot, "file": memoryFile(t, pid)} {
		opened, err := target.OpenPath(t.Context(), path, target.Options{})
		require.NoError(t, err)
		looks(t, door, opened, q)
		require.NoError(t, opened.Close())
	}
}

func looks(t *testing.T, door string, heap target.Target, q question) {
	t.Helper()
	report, err := inspect.Check(context.Background(), heap, inspect.CheckOptions{})
	require.NoError(t, err, door)
	require.Empty(t, report.Unsettled, door)
	if q.Code == "" {
		require.Empty(t, report.Findings, "%s: a false alarm", door)
		return
	}
	require.NotEmpty(t, report.Findings, "%s: nothing is found", door)
	f := report.Findings[0]
	require.Equal(t, q.Code, f.Code, "%s: %s", door, f.Summary)
	require.Regexp(t, q.Summary, f.Summary, door)
	if q.Block != 0 {
		require.NotNil(t, f.Block, door)
		require.Equal(t, inspect.Address(q.Block), f.Block.Address, "%s: another block is blamed", door)
	}
}

// looksForLost searches a process for what nothing in it refers to any more. Only its own memory can tell.
func looksForLost(t *testing.T, pid int, l lost) {
	process, err := target.OpenProcess(pid, target.Options{Heap: "#1"})
	require.NoError(t, err)
	defer process.Close()
	program, err := inspect.ProgramOf(process, "")
	require.NoError(t, err)
	defer program.Close()
	report, err := inspect.Unreachable(context.Background(), process, program, inspect.LeakOptions{})
	require.NoError(t, err)
	require.Len(t, report.Groups, 1, "what is still referred to is no leak")
	g := report.Groups[0]
	require.GreaterOrEqual(t, g.Blocks, l.Heads)
	require.Equal(t, g.Blocks*l.Below, g.Below)
	require.NotNil(t, g.Oldest)
	require.True(t, slices.ContainsFunc(g.Oldest.Frames, func(f inspect.Frame) bool {
		return strings.HasSuffix(f.Function, ".loses") || strings.HasSuffix(f.Function, ".losesChain")
	}), "%v", g.Oldest.Frames)
}

// memoryFile is the path of the memory file of a process's first heap.
func memoryFile(t *testing.T, pid int) string {
	links, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	require.NoError(t, err)
	heap := regexp.MustCompile(`^/memfd:glassheap:`)
	for _, link := range links {
		if name, err := os.Readlink(link); err == nil && heap.MatchString(name) {
			return link
		}
	}
	t.Fatal("the process has no heap")
	return ""
}
