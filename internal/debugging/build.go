package debugging

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
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

// Program builds a package of this module once, with these flags of go build, and returns the program's path.
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
	out, err := exec.Command("go", append(append([]string{"build", "-o", path}, flags...), pkg)...).CombinedOutput()
	require.NoError(t, err, "%s can't be built: %s", pkg, out)
	programs.paths[key] = path
	return path
}

// Watch lets a test's result be kept by go test for as long only as no source of a program changes: by itself it knows the
// sources of the test alone.
func Watch(pkg string) error {
	const sources = `{{if not .Standard}}{{$dir := .Dir}}{{range .GoFiles}}{{$dir}}/{{.}}{{"\n"}}{{end}}{{range .EmbedFiles}}{{$dir}}/{{.}}{{"\n"}}{{end}}{{range .SFiles}}{{$dir}}/{{.}}{{"\n"}}{{end}}{{end}}`
	out, err := exec.Command("go", "list", "-deps", "-f", sources, pkg).Output()
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
