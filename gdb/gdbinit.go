package gdb

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// The block in a gdbinit stands between these lines, at the file's start: cutting it out leaves the rest as it was.
const (
	blockStart   = "# >>> glassheap >>> `glassheap gdb --uninstall` removes this block"
	blockCreated = " and the file, which it made" // behind blockStart
	blockEnd     = "# <<< glassheap <<<"
)

// InitFile is the file with the user's own commands that GDB reads when it starts. GDB reads only one: that in the
// configuration folder, else that in the home folder. So a new one in the first place would hide one in the second.
func InitFile() (string, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("there is no place for a gdbinit: %w", err)
	}
	config := os.Getenv("XDG_CONFIG_HOME")
	if !filepath.IsAbs(config) {
		config = filepath.Join(home, ".config")
	}
	path, old := filepath.Join(config, "gdb", "gdbinit"), filepath.Join(home, ".gdbinit")
	if !exists(path) && exists(old) {
		return old, nil
	}
	return path, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// Install makes GDB load a script whenever it starts: it adds a block to a gdbinit. The block names the glassheap program; empty:
// the one in PATH will do. A block that is there already is replaced.
func Install(initFile, script, program string) error {
	content, err := os.ReadFile(initFile)
	created := errors.Is(err, fs.ErrNotExist)
	if err != nil && !created {
		return err
	}
	rest, was := withoutBlock(content)
	start := blockStart
	if created || was == blockStart+blockCreated {
		start += blockCreated
	}
	// A script that is gone, after somebody has cleaned the cache, must not end the gdbinit.
	lines := []string{start, "python", "import os, gdb"}
	if program != "" {
		lines = append(lines,
			"if os.access("+strconv.QuoteToASCII(program)+", os.X_OK):",
			"    os.environ.setdefault("+strconv.Quote(ProgramVariable)+", "+strconv.QuoteToASCII(program)+")")
	}
	lines = append(lines,
		"if os.path.exists("+strconv.QuoteToASCII(script)+"):",
		"    gdb.execute(\"source \" + "+strconv.QuoteToASCII(script)+")",
		"else:",
		`    print("glassheap: its scripts are gone; run glassheap gdb --install again")`,
		"end", blockEnd, "")
	return replace(initFile, append([]byte(strings.Join(lines, "\n")), rest...))
}

// Uninstall takes the block out of a gdbinit, and reports whether there was one. The rest of the file stays as it is, byte by
// byte; a file that Install has made and that holds nothing else is removed.
func Uninstall(initFile string) (removed bool, err error) {
	content, err := os.ReadFile(initFile)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	rest, was := withoutBlock(content)
	switch {
	case was == "":
		return false, nil
	case was == blockStart+blockCreated && len(rest) == 0:
		return true, os.Remove(initFile)
	}
	return true, replace(initFile, rest)
}

// withoutBlock cuts the block out, and returns its first line; empty: there is none.
func withoutBlock(content []byte) (rest []byte, firstLine string) {
	start := 0
	if !bytes.HasPrefix(content, []byte(blockStart)) {
		if start = bytes.Index(content, []byte("\n"+blockStart)) + 1; start == 0 {
			return content, ""
		}
	}
	length := bytes.Index(content[start:], []byte("\n"+blockEnd+"\n"))
	if length < 0 {
		return content, "" // somebody has cut it short: it is theirs now
	}
	line, _, _ := bytes.Cut(content[start:], []byte("\n"))
	return append(bytes.Clone(content[:start]), content[start+length+len("\n"+blockEnd+"\n"):]...), string(line)
}

// replace gives a file a new content, as a whole or not at all. A symbolic link stays one.
func replace(path string, content []byte) error {
	mode := fs.FileMode(0o644)
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
		if info, err := os.Stat(path); err == nil {
			mode = info.Mode().Perm()
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	fresh, err := os.CreateTemp(filepath.Dir(path), ".gdbinit.*.unfinished")
	if err != nil {
		return err
	}
	defer os.Remove(fresh.Name()) // it is gone already where all went well
	_, err = fresh.Write(content)
	if err = errors.Join(err, fresh.Chmod(mode), fresh.Close()); err != nil {
		return err
	}
	return os.Rename(fresh.Name(), path)
}
