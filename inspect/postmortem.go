package inspect

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// CauseKind is what sort of death it was.
type CauseKind string

// The causes of death.
const (
	CausePanic   CauseKind = "panic"
	CauseFault   CauseKind = "fault"       // memory was touched that may not be
	CauseFatal   CauseKind = "fatal error" // the runtime gave up
	CauseSignal  CauseKind = "signal"      // SIGKILL for example, by a person or by the kernel
	CauseExit    CauseKind = "exit"        // it ended itself, with a status that is not 0
	CauseUnknown CauseKind = "unknown"     // it is gone, and the system does not tell how
)

// Cause is what a program died of.
type Cause struct {
	Kind    CauseKind `json:"kind"`
	Summary string    `json:"summary"`               // in a line
	Signal  string    `json:"signal,omitempty"`      // that ended it
	Status  *int      `json:"exit_status,omitempty"` // with which it ended
	Memory  string    `json:"memory,omitempty"`      // what speaks for the kernel having killed it for want of memory
}

// PostMortem is what the recorder found out about a program that has died, or what a core tells of one.
type PostMortem struct {
	Version   int                `json:"version"` // of this format: PostMortemVersion
	PID       int                `json:"pid"`
	Program   string             `json:"program"`
	Started   time.Time          `json:"started"` // when the recorder was
	Died      time.Time          `json:"died"`
	Core      string             `json:"core,omitempty"` // that it was made of, written when it died
	Cause     Cause              `json:"cause"`
	Addresses []AddressOfCrash   `json:"addresses,omitempty"` // that the crash's text names
	Heaps     []HeapOfPostMortem `json:"heaps"`
	Findings  int                `json:"findings"` // in all heaps
	Notes     []string           `json:"notes,omitempty"`
	Stack     string             `json:"stack,omitempty"` // of the goroutine that crashed
	Crash     string             `json:"crash,omitempty"` // what the runtime wrote
}

// AddressOfCrash is an address that a crash's text names, explained.
type AddressOfCrash struct {
	Address  Address       `json:"address"`
	Heap     string        `json:"heap,omitempty"`     // in whose range it lies
	Snapshot string        `json:"snapshot,omitempty"` // of that heap
	Sentence string        `json:"sentence"`
	Whatis   *WhatisReport `json:"whatis,omitempty"`
}

// HeapOfPostMortem is one heap of a program that has died.
type HeapOfPostMortem struct {
	Name        string       `json:"name"`
	Base        Address      `json:"base"`
	Check       *CheckReport `json:"check,omitempty"`
	Problem     string       `json:"problem,omitempty"`     // why it could not be checked
	Snapshot    string       `json:"snapshot,omitempty"`    // a file, in the same directory
	NotSnapshot string       `json:"no_snapshot,omitempty"` // why there is none
}

// PostMortemVersion is the version of PostMortem's format. A reader refuses a newer one.
const PostMortemVersion = 1

// PostMortemFile is a post-mortem in a directory.
type PostMortemFile struct {
	Path string `json:"path"` // of the JSON file
	*PostMortem
	Problem string `json:"problem,omitempty"` // why it can't be read
}

// PostMortemName is how the files of a post-mortem are called, without what tells their kinds.
func PostMortemName(pid int, died time.Time) string {
	return fmt.Sprintf("glassheap-%d-%s", pid, died.UTC().Format("20060102T150405Z"))
}

var postMortemName = regexp.MustCompile(`^(glassheap-[0-9]+-[0-9]{8}T[0-9]{6}Z)(-[0-9]+\.snapshot|\.snapshot|\.txt|\.json)$`)

// PostMortemOf is the name of the post-mortem that a file belongs to, by the file's name.
func PostMortemOf(file string) (name string, ok bool) {
	match := postMortemName.FindStringSubmatch(filepath.Base(file))
	if match == nil {
		return "", false
	}
	return match[1], true
}

// PostMortemDirectory is where post-mortems are when nobody said otherwise. It is the user's own, for they hold what
// programs had in their memory.
func PostMortemDirectory() string {
	return filepath.Join(os.TempDir(), fmt.Sprintf("glassheap-%d", os.Getuid()))
}

// mostPostMortemBytes bounds a JSON file that is read.
const mostPostMortemBytes = 64 << 20

// ReadPostMortem reads a post-mortem: path is that of any of its files.
func ReadPostMortem(path string) (*PostMortem, error) {
	if name, ok := PostMortemOf(path); ok {
		path = filepath.Join(filepath.Dir(path), name+".json")
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no post-mortem: it is not a regular file", path)
	}
	text, err := io.ReadAll(io.LimitReader(file, mostPostMortemBytes))
	if err != nil {
		return nil, err
	}
	if len(text) == 0 {
		return nil, fmt.Errorf("%s is no post-mortem: it is empty", path)
	}
	p := new(PostMortem)
	if err := json.Unmarshal(text, p); err != nil {
		return nil, fmt.Errorf("%s is no post-mortem: %w", path, err)
	}
	switch {
	case p.Version == 0:
		return nil, fmt.Errorf("%s is no post-mortem: it has no version", path)
	case p.Version > PostMortemVersion:
		return nil, fmt.Errorf("the post-mortem %s has version %d and this glassheap knows up to %d: use a newer glassheap", path, p.Version, PostMortemVersion)
	}
	return p, nil
}

// PostMortems lists those of a directory, the newest first.
func PostMortems(directory string) ([]PostMortemFile, error) {
	entries, err := os.ReadDir(directory)
	if err != nil {
		return nil, err
	}
	found := []PostMortemFile{}
	for _, e := range entries {
		if _, ok := PostMortemOf(e.Name()); !ok || !strings.HasSuffix(e.Name(), ".json") {
			continue
		}
		f := PostMortemFile{Path: filepath.Join(directory, e.Name())}
		if f.PostMortem, err = ReadPostMortem(f.Path); err != nil {
			f.Problem = err.Error()
		}
		found = append(found, f)
	}
	slices.SortStableFunc(found, func(a, b PostMortemFile) int {
		if a.PostMortem == nil || b.PostMortem == nil {
			return strings.Compare(b.Path, a.Path)
		}
		return b.Died.Compare(a.Died)
	})
	return found, nil
}
