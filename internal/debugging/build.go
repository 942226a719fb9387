package debugging

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// Build builds the program of a package of this module. The test's result is then kept by go test for as long only as none of
// the program's sources changes: by itself it knows those of the test alone.
func Build(path, pkg string, flags ...string) error {
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
	if out, err = exec.Command("go", append(append([]string{"build", "-o", path}, flags...), pkg)...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s can't be built: %w: %s", pkg, err, out)
	}
	return nil
}
