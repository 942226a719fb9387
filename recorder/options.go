package recorder

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/inspect"
)

// Options say what is recorded, and where. The zero value records every heap.
type Options struct {
	// Off makes Start do nothing: its Recorder can be stopped like any other.
	Off bool
	// Directory is where post-mortems are written; it is made when there is one. Default: glassheap-UID in os.TempDir().
	Directory string
	// Heaps are those that are recorded; nil: every heap that is open, and every one that is made later.
	Heaps []*allocator.Heap
	// SnapshotBytes is how much of the heaps' memory the snapshots of one post-mortem may hold; default 1 GiB, negative: there
	// are none. A heap that is too large for what is left gets no snapshot; it is checked all the same.
	SnapshotBytes int64
	// TimeLimit bounds the work on one post-mortem; default one minute.
	TimeLimit time.Duration
	// Keep is how many post-mortems stay in Directory: the oldest make room. Default 20; negative: all of them.
	Keep int
	// Silent keeps the line on standard error from being written, and standard error from being held open.
	Silent bool
	// KeepCrashOutput leaves debug.SetCrashOutput alone. Post-mortems have no crash text then.
	KeepCrashOutput bool
}

const (
	defaultSnapshotBytes = 1 << 30
	defaultTimeLimit     = time.Minute
	defaultKeep          = 20
)

// withDefaults fills in what is not set and refuses what cannot be.
func (o Options) withDefaults() (Options, error) {
	if o.Directory == "" {
		o.Directory = inspect.PostMortemDirectory()
	}
	// The second process may be in another directory.
	directory, err := filepath.Abs(o.Directory)
	if err != nil {
		return o, fmt.Errorf("glassheap: Options.Directory: %w", err)
	}
	o.Directory = directory
	if o.SnapshotBytes == 0 {
		o.SnapshotBytes = defaultSnapshotBytes
	}
	if o.TimeLimit == 0 {
		o.TimeLimit = defaultTimeLimit
	}
	if o.Keep == 0 {
		o.Keep = defaultKeep
	}
	if o.TimeLimit < 0 {
		return o, errors.New("glassheap: Options.TimeLimit is negative")
	}
	return o, nil
}
