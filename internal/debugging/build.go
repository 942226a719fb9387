package debugging

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/internal/planted"
)

// Command is the package of the glassheap command.
const Command = "github.com/glassheap/glassheap/cmd/glassheap"

// Folder is where a package's tests put what they build. Main makes it.
var Folder string

// Main is the TestMain of a package that builds programs, which are removed at the end.
func Main(m *testing.M) {
	var err error
	if Folder, err = os.MkdirTemp("", "glassheap-test-"); err != nil {
		panic(err)
	}
	defer os.RemoveAll(Folder)
	m.Run()
}

var programs = struct {
	sync.Mutex
	paths map[string]string
}{paths: map[string]string{}}

// Program builds a package once, with these flags of go build, and returns the program's path. It is named by a path from the test's
// folder, or by its import path, when it may be of another module of this repository.
func Program(t *testing.T, pkg string, flags ...string) string {
	t.Helper()
	programs.Lock()
	defer programs.Unlock()
	key := strings.Join(append(flags, pkg), " ")
	if path, ok := programs.paths[key]; ok {
		return path
	}
	require.NoError(t, Watch(pkg))
	path := filepath.Join(Folder, strconv.Itoa(len(programs.paths)), filepath.Base(pkg))
	in, name, err := place(pkg)
	require.NoError(t, err)
	arguments := append(append([]string{"build"}, in...), "-o", path)
	out, err := exec.Command("go", append(append(arguments, flags...), name)...).CombinedOutput()
	require.NoError(t, err, "%s can't be built: %s", pkg, out)
	programs.paths[key] = path
	return path
}

// Watch lets a test's result be kept by go test for as long only as no source of a program changes: by itself it knows the
// sources of the test alone.
func Watch(pkg string) error {
	const sources = `{{if not .Standard}}{{$dir := .Dir}}{{range .GoFiles}}{{$dir}}/{{.}}{{"\n"}}{{end}}{{range .EmbedFiles}}{{$dir}}/{{.}}{{"\n"}}{{end}}{{range .SFiles}}{{$dir}}/{{.}}{{"\n"}}{{end}}{{end}}`
	in, name, err := place(pkg)
	if err != nil {
		return err
	}
	out, err := exec.Command("go", append(append([]string{"list"}, in...), "-deps", "-f", sources, name)...).Output()
	if err != nil {
		return fmt.Errorf("the sources of %s can't be listed: %w", pkg, err)
	}
	for _, file := range strings.Fields(string(out)) {
		if _, err := os.Stat(file); err != nil { // go test remembers what a test has looked at
			return err
		}
	}
	return nil
}

// place says where the go command finds a package: flags for the folder it is to run in, and the package's name there.
func place(pkg string) (flags []string, name string, err error) {
	within, found := strings.CutPrefix(pkg, planted.Module+"/")
	if !found {
		return nil, pkg, nil
	}
	folder, err := planted.Folder(context.Background(), within)
	return []string{"-C", folder}, ".", err
}
