//go:build !linux

package recorder

import (
	"errors"
	"fmt"
)

// Recorder is a recorder that was started.
type Recorder struct{}

// Start fails: there are recorders on Linux only.
func Start(o Options) (*Recorder, error) {
	if o.Off {
		return &Recorder{}, nil
	}
	return nil, fmt.Errorf("glassheap: the recorder needs Linux: %w", errors.ErrUnsupported)
}

// Stop does nothing.
func (r *Recorder) Stop() error { return nil }

// Recording reports whether this process is the second one of a recorder.
func Recording() bool { return false }
