package offheap

import (
	"errors"
	"fmt"
)

// ErrFreed is what the errors and panics of this package are (errors.Is) when something is used, or freed once more, after it was
// freed or closed.
var ErrFreed = errors.New("it was freed already")

// freed is the error of a call on something that was freed.
func freed(call, what string) error {
	return fmt.Errorf("offheap: %s of a %s: %w", call, what, ErrFreed)
}

// noCopy has vet tell who copies a struct that owns a block: both copies would free it.
type noCopy struct{}

func (*noCopy) Lock()   {}
func (*noCopy) Unlock() {}
