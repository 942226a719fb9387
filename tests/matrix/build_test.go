package matrix

import (
	"flag"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/internal/debugging"
)

var update = flag.Bool("update", false, "write docs/detection.md")

// built is the folder of what the tests build.
var built string

func TestMain(m *testing.M) {
	flag.Parse()
	var err error
	if built, err = os.MkdirTemp("", "glassheap-matrix"); err != nil {
		panic(err)
	}
	status := m.Run()
	os.RemoveAll(built)
	os.Exit(status)
}

// build makes the function that builds a package of this module once.
func build(name, pkg string, flags ...string) func(*testing.T) string {
	once := sync.OnceValues(func() (string, error) {
		path := filepath.Join(built, name)
		return path, debugging.Build(path, pkg, flags...)
	})
	return func(t *testing.T) string {
		t.Helper()
		path, err := once()
		require.NoError(t, err)
		return path
	}
}

// What is run: the victim as programs are shipped, with symbols and without, and the command.
var (
	victim         = build("victim", "./testdata/victim")
	strippedVictim = build("stripped", "./testdata/victim", "-ldflags=-s -w")
	program        = build("glassheap", "../../cmd/glassheap")
)
