package symbols_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/inspect/symbols"
)

// stack is what testdata/inlined prints.
type stack struct {
	Name   string          `json:"name"`
	PCs    []uint64        `json:"pcs"`
	Frames []symbols.Frame `json:"frames"`
}

var (
	builds    sync.Map // by their arguments
	directory string
)

func TestMain(m *testing.M) {
	code := 1
	defer func() { os.Exit(code) }()
	var err error
	if directory, err = os.MkdirTemp("", "symbols"); err != nil {
		panic(err)
	}
	defer os.RemoveAll(directory)
	code = m.Run()
}

// build makes the program of testdata, once for each name.
func build(t testing.TB, name string, environment []string, arguments ...string) string {
	t.Helper()
	once, _ := builds.LoadOrStore(name, sync.OnceValues(func() (string, error) {
		path := filepath.Join(directory, name)
		command := exec.Command("go", append(append([]string{"build", "-o", path}, arguments...), "./testdata/inlined")...)
		command.Env = append(append(os.Environ(), "GOOS=linux"), environment...)
		if out, err := command.CombinedOutput(); err != nil {
			t.Logf("%s", out)
			return "", err
		}
		return path, nil
	}))
	path, err := once.(func() (string, error))()
	require.NoError(t, err)
	return path
}

func plain(t testing.TB) string { return build(t, "plain", nil) }

// run is the stacks as the program's own runtime names them.
func run(t testing.TB, path string) []stack {
	t.Helper()
	out, err := exec.Command(path).Output()
	require.NoError(t, err)
	var stacks []stack
	require.NoError(t, json.Unmarshal(out, &stacks))
	require.Greater(t, len(stacks), 10_000)
	return stacks
}

func open(t testing.TB, path string) *symbols.Table {
	t.Helper()
	table, err := symbols.OpenFile(path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, table.Close()) })
	return table
}

// tool fails the test in CI, and skips it elsewhere, where a tool is missing.
func tool(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("%s is missing: apt-get install gcc binutils", name)
		}
		t.Skipf("%s is missing: apt-get install gcc binutils", name)
	}
	return path
}
