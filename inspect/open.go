package inspect

import (
	"context"
	"errors"

	"github.com/glassheap/glassheap/inspect/target"
)

// Open decodes a heap as it is now. A running process is held still while its metadata are copied, if that is allowed; it goes
// on before anything is decoded. Errors are those of Check.
func Open(ctx context.Context, t target.Target) (*Heap, error) {
	c := new(capture)
	stopper, running := t.(target.Stopper)
	if running {
		c.prepare(t)
	}
	for try := 1; ; try++ {
		if err := c.takeStill(ctx, t, stopper); err != nil {
			return nil, err
		}
		h := decode(t, c)
		if !running || !h.sound || !h.held() || try == mostStops || ctx.Err() != nil {
			return h, ctx.Err()
		}
	}
}

// takeStill is take with the owner held still, where that is possible.
func (c *capture) takeStill(ctx context.Context, t target.Target, stopper target.Stopper) error {
	if stopper == nil {
		return c.take(t)
	}
	stopped, err := stopper.Stop(ctx)
	if target.StopRefused(err) {
		return c.take(t)
	}
	if err != nil {
		return err
	}
	err = c.take(t)
	return errors.Join(err, stopped.Resume())
}

// DamagedHeaderError says that a question can't be answered because neither copy of the header's identity can be believed.
type DamagedHeaderError struct{ Target string }

func (e *DamagedHeaderError) Error() string {
	return "the header of the heap in " + e.Target + " is damaged, and so is its second copy: only check and structs have something to say about it"
}

// usable is the error that keeps a question from being answered.
func (h *Heap) usable() error {
	if !h.sound {
		return &DamagedHeaderError{h.Target().String()}
	}
	return nil
}
