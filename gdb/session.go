package gdb

import (
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/glassheap/glassheap/inspect/target"
)

// ProgramVariable is the environment variable that tells the scripts where the glassheap program is. It is not GLASSHEAP,
// which the program that is debugged would take for options of its heaps.
const ProgramVariable = "GLASSHEAP_BINARY"

// Session says what GDB is started with.
type Session struct {
	GDB       string   // its path
	Script    string   // that it loads
	Target    string   // the id of a process, a program or a core; empty: none
	Exe       string   // the program of a core; empty: the core tells
	Early     []string // commands before the program is loaded: gdb's -iex
	Commands  []string // after that: gdb's -ex
	Run       bool     // start the program after these
	Arguments []string // of the program; without a program, of gdb
	Greeting  bool     // say that glassheap is loaded
}

// CommandLine is the command line of gdb.
func (s Session) CommandLine() ([]string, error) {
	line := []string{s.GDB}
	if file := goSupport(); file != "" {
		// Go's own scripts for GDB, of the Go that is installed here; GDB asks for a word from the user to load them.
		line = append(line, "-iex", "add-auto-load-safe-path "+file)
	}
	for _, c := range s.Early {
		line = append(line, "-iex", c)
	}
	line = append(line, "-x", s.Script)
	if s.Greeting {
		line = append(line, "-ex", `echo glassheap is loaded: "glassheap help" says what you can ask.\n`)
	}
	for _, c := range s.Commands {
		line = append(line, "-ex", c)
	}
	target, isProgram, err := s.target()
	if err != nil {
		return nil, err
	}
	switch {
	case s.Run && !isProgram:
		return nil, errors.New("--run starts a program: name its path as TARGET")
	case s.Run:
		line = append(line, "-ex", "run")
	}
	if isProgram {
		line = append(line, "--args")
		return append(append(line, target...), s.Arguments...), nil
	}
	return append(append(line, s.Arguments...), target...), nil
}

// target is the end of the command line: what is debugged.
func (s Session) target() (words []string, isProgram bool, err error) {
	if s.Target == "" {
		return nil, false, nil
	}
	if pid, err := strconv.ParseUint(s.Target, 10, 31); err == nil {
		return []string{"-p", strconv.FormatUint(pid, 10)}, false, nil
	}
	info, err := os.Stat(s.Target)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, false, fmt.Errorf("there is no file %s: TARGET is the id of a process, or the path of a program or of a core", s.Target)
	case err != nil:
		return nil, false, err
	case info.IsDir():
		return nil, false, fmt.Errorf("%s is a folder: build its program first, for example by go build -gcflags='all=-N -l' -o /tmp/program %s", s.Target, s.Target)
	}
	exe, isCore := target.ProgramOfCore(s.Target)
	if !isCore {
		file, err := elf.Open(s.Target)
		if err != nil {
			return nil, false, fmt.Errorf("%s is neither a program nor a core: %w", s.Target, err)
		}
		return []string{s.Target}, true, file.Close()
	}
	if s.Exe != "" {
		exe = s.Exe
	}
	if exe == "" || !exists(exe) {
		if exe != "" {
			exe = " (it was " + exe + ")"
		}
		return nil, false, fmt.Errorf("the core %s does not tell where its program is now%s: name it by --exe FILE", s.Target, exe)
	}
	return []string{"-se", exe, "-c", s.Target}, false, nil
}

// goSupport is the script for GDB of the Go that is installed here; empty: there is none.
func goSupport() string {
	command, err := exec.LookPath("go")
	if err != nil {
		return ""
	}
	root, err := exec.Command(command, "env", "GOROOT").Output()
	if err != nil {
		return ""
	}
	file := filepath.Join(strings.TrimSpace(string(root)), "src", "runtime", "runtime-gdb.py")
	if !exists(file) || strings.ContainsAny(file, " \t\n") {
		return ""
	}
	return file
}
