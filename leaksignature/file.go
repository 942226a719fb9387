package leaksignature

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode"
)

// Bounds of a file: far above what any leak report holds.
const (
	mostLineBytes  = 64 << 10
	mostSignatures = 100_000
	mostFrames     = 4096 // of one stack, with its inlined calls
)

const cutOff = "..."

// Write writes signatures as a file.
func Write(w io.Writer, signatures []Signature) error {
	b := bufio.NewWriter(w)
	fmt.Fprintln(b, "# Leak signatures of glassheap: a stack in each paragraph, compared by function and line.")
	for _, g := range signatures {
		if len(g.Frames) == 0 {
			continue
		}
		fmt.Fprintln(b)
		if g.Note != "" {
			fmt.Fprintf(b, "# %s\n", printable(g.Note))
		}
		for _, f := range g.Frames {
			fmt.Fprintf(b, "%s\n\t%s:%d\n", printable(f.Function), printable(FileName(f.File)), f.Line)
		}
		if g.CutOff {
			fmt.Fprintln(b, cutOff)
		}
	}
	return b.Flush()
}

// printable keeps a name that lies from making lines of its own.
func printable(name string) string {
	name = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '·'
		}
		return r
	}, name)
	if strings.TrimSpace(name) == "" || name == cutOff || strings.HasPrefix(name, "#") {
		return "·" + name
	}
	return name
}

// SyntaxError says which line of a file is not as it should be.
type SyntaxError struct {
	Line    int // counted from 1
	Problem string
}

// Error says where and what.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("line %d of the leak signatures %s", e.Line, e.Problem)
}

// ReadFile reads the file at a path.
func ReadFile(path string) (*Set, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	set, err := Read(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return set, nil
}

// Read reads a file. The error is a *SyntaxError or the reader's.
func Read(r io.Reader) (*Set, error) {
	var all []Signature
	var now Signature
	var function string // whose place must follow
	end := func() {
		if len(now.Frames) > 0 {
			all = append(all, now)
		}
		now = Signature{}
	}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, mostLineBytes)
	n := 0
	for lines.Scan() {
		n++
		line := strings.TrimRight(lines.Text(), " \t\r")
		place, indented := strings.CutPrefix(line, "\t")
		problem := ""
		switch {
		case function != "" && !indented:
			problem = fmt.Sprintf("has to say, behind a tab, where %s is: FILE:LINE", function)
		case indented && function == "":
			problem = "says where something is, but no function stands before it"
		case indented:
			f := Frame{Function: function}
			if f.File, f.Line, problem = parsePlace(place); problem == "" {
				now.Frames, function = append(now.Frames, f), ""
			}
		case strings.HasPrefix(line, "#"):
			if note := strings.TrimSpace(line[1:]); len(now.Frames) == 0 {
				now.Note = note
			}
		case line == "":
			end()
		case now.CutOff:
			problem = "goes on behind the ... that ends a stack: a blank line is missing"
		case line == cutOff && len(now.Frames) == 0:
			problem = "ends a stack that has no call"
		case line == cutOff:
			now.CutOff = true
		default:
			function = line
		}
		switch {
		case problem != "":
		case len(now.Frames) > mostFrames:
			problem = fmt.Sprintf("makes a stack of more than %d calls", mostFrames)
		case len(all) == mostSignatures:
			problem = fmt.Sprintf("comes after %d stacks: there can't be more", mostSignatures)
		}
		if problem != "" {
			return nil, &SyntaxError{n, problem}
		}
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if function != "" {
		return nil, &SyntaxError{n + 1, fmt.Sprintf("has to say, behind a tab, where %s is: FILE:LINE", function)}
	}
	end()
	return NewSet(all), nil
}

func parsePlace(text string) (file string, line int, problem string) {
	text = strings.TrimSpace(text)
	at := strings.LastIndexByte(text, ':')
	if at < 1 {
		return "", 0, fmt.Sprintf("has %q where FILE:LINE has to be", text)
	}
	line, err := strconv.Atoi(text[at+1:])
	if err != nil || line < 0 {
		return "", 0, fmt.Sprintf("has %q where FILE:LINE has to be", text)
	}
	return text[:at], line, ""
}
