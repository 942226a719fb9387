package dlvscripts

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// DelveVariable is the environment variable that names the Delve to start.
const DelveVariable = "GLASSHEAP_DLV"

// Find finds Delve: the one that the environment names, the one in PATH, or the current module's tool. It is the beginning of
// a command line.
func Find(ctx context.Context) ([]string, error) {
	if named := os.Getenv(DelveVariable); named != "" {
		path, err := exec.LookPath(named)
		if err != nil {
			return nil, fmt.Errorf("%s names no program that can be run: %w", DelveVariable, err)
		}
		return []string{path}, nil
	}
	if path, err := exec.LookPath("dlv"); err == nil {
		return []string{path}, nil
	}
	if path, err := exec.LookPath("go"); err == nil {
		if out, err := exec.CommandContext(ctx, path, "tool", "-n", "dlv").Output(); err == nil {
			if built := strings.TrimSpace(string(out)); isFile(built) {
				return []string{built}, nil
			}
			return []string{path, "tool", "dlv"}, nil
		}
	}
	return nil, errors.New("there is no Delve: `go install github.com/go-delve/delve/cmd/dlv@v1.27.2` gets one, or set " + DelveVariable + " to its path")
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// Commands are Delve's commands that take an init file.
var Commands = []string{"debug", "exec", "attach", "core", "test", "connect", "replay"}

// Split takes a user's own --init out of the words of a Delve command. What stands behind -- is for the program.
func Split(words []string) (rest []string, usersInit string, err error) {
	end := len(words)
	if i := slices.Index(words, "--"); i >= 0 {
		end = i
	}
	for i := 0; i < end; i++ {
		value, assigned := strings.CutPrefix(words[i], "--init=")
		switch {
		case assigned:
			usersInit = value
		case words[i] == "--init" && i+1 < end:
			i++
			usersInit = words[i]
		case words[i] == "--init":
			return nil, "", errors.New("--init needs the path of a file")
		default:
			rest = append(rest, words[i])
		}
	}
	return append(rest, words[end:]...), usersInit, nil
}
