package target

import (
	"context"
	"sync/atomic"
	"time"
)

// stopping is the process, stopped as the options say.
func (t *otherProcess) stopping(how Stopping) (Target, error) {
	switch how {
	case StopNever:
		return unstopped{t}, nil
	case StopWhole:
		return standStill(t, WholeLimit)
	}
	return t, nil
}

// unstopped is a process that is not to be stopped.
type unstopped struct{ *otherProcess }

// Stop is an *UnwantedStopError, unless the process has ended or closed the heap.
func (t unstopped) Stop(context.Context) (Stopped, error) {
	if err := t.stillThere(); err != nil {
		return nil, err
	}
	return nil, &UnwantedStopError{PID: t.proc.pid}
}

// standing is a process that is held still until Close. It is no Stopper: nothing can change while it is looked at.
type standing struct {
	*process
	other *otherProcess
	began time.Time
	limit *time.Timer
	late  atomic.Bool // it was let go before Close
}

func standStill(t *otherProcess, limit time.Duration) (*standing, error) {
	stopped, err := t.Stop(context.Background()) // which is bounded
	if err != nil {
		t.Close()
		return nil, err
	}
	s := &standing{process: t.process, other: t, began: time.Now()}
	s.limit = time.AfterFunc(limit, func() {
		s.late.Store(true)
		_ = stopped.Resume()
	})
	return s, nil
}

// StoodStill is for how long, so far: see StandingStill.
func (s *standing) StoodStill() (time.Duration, error) {
	if s.late.Load() {
		return WholeLimit, &StopError{PID: s.other.proc.pid, Because: errStoodTooLong}
	}
	return time.Since(s.began), nil
}

// ReadAt fails when the process goes on.
func (s *standing) ReadAt(p []byte, offset int64) (int, error) {
	n, err := s.process.ReadAt(p, offset)
	if _, late := s.StoodStill(); late != nil {
		return 0, late
	}
	return n, err
}

// View shows nothing any more when the process goes on.
func (s *standing) View(offset, bytes int64) []byte {
	if s.late.Load() {
		return nil
	}
	return s.process.View(offset, bytes)
}

// Roots are those of the process: see Rooted.
func (s *standing) Roots(ctx context.Context, visit func(piece []byte)) (int64, error) {
	n, err := s.other.Roots(ctx, visit)
	if _, late := s.StoodStill(); late != nil {
		err = late
	}
	return n, err
}

// MissingRoots is 0: a process has all of its memory.
func (s *standing) MissingRoots() uint64 { return 0 }

// Close lets the process go on and lets go of it.
func (s *standing) Close() error {
	s.limit.Stop()
	return s.other.Close()
}
