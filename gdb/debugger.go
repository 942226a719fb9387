package gdb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// leastVersion is the GDB that the scripts need.
const leastVersion = 12

// UnfitError says that there is no gdb here that will do.
type UnfitError struct {
	Path  string // of the gdb that was tried; empty: none was found
	Found string // what is wrong with it
}

// Error says what to install.
func (e *UnfitError) Error() string {
	if e.Path == "" {
		return "gdb is not installed, or not in PATH: install it (`apt install gdb`, `dnf install gdb`, `apk add gdb`), or name it by --gdb FILE"
	}
	return fmt.Sprintf("%s will not do: %s. Install GDB %d or newer with Python, or name another by --gdb FILE", e.Path, e.Found, leastVersion)
}

// Find finds a gdb that will do: path, or the one in PATH when that is empty. Otherwise the error is an *UnfitError.
func Find(ctx context.Context, path string) (string, error) {
	name := path
	if name == "" {
		name = "gdb"
	}
	found, err := exec.LookPath(name)
	if err != nil {
		return "", &UnfitError{Path: path, Found: "there is no such program"}
	}
	// -nx: what the user's gdbinit prints or does is not asked for here.
	out, err := exec.CommandContext(ctx, found, "-nx", "-batch", "-ex", `python print("glassheap " + gdb.VERSION)`).CombinedOutput()
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	version, ok := versionIn(out)
	switch {
	case bytes.Contains(out, []byte("Python scripting is not supported")):
		return "", &UnfitError{Path: found, Found: "it was built without Python"}
	case !ok:
		return "", &UnfitError{Path: found, Found: fmt.Sprintf("it does not answer as a GDB with Python does (%s)", firstLine(out, err))}
	case version < leastVersion:
		return "", &UnfitError{Path: found, Found: fmt.Sprintf("it is GDB %d", version)}
	}
	return found, nil
}

// versionIn is the major version in what gdb has printed.
func versionIn(out []byte) (major int, ok bool) {
	_, text, ok := strings.Cut(string(out), "glassheap ")
	if !ok {
		return 0, false
	}
	digits, _, _ := strings.Cut(text, ".")
	major, err := strconv.Atoi(strings.TrimSpace(digits))
	return major, err == nil
}

func firstLine(out []byte, err error) string {
	line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	var exit *exec.ExitError
	switch {
	case line != "":
		return line
	case err != nil && !errors.As(err, &exit):
		return err.Error()
	}
	return "it printed nothing"
}
