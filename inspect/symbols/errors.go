package symbols

import (
	"errors"
	"fmt"
)

// FormatError says that a file is not the executable of a Go program, or not one that can be read.
type FormatError struct {
	Found string // what it is instead, or what is missing
}

// Error says what was found.
func (e *FormatError) Error() string {
	return "this is no executable of a Go program whose functions can be looked up: " + e.Found
}

// VersionError says that an executable's table has another form than the one that is known here.
type VersionError struct {
	Built string // versions of Go that build such executables: "Go 1.18 or 1.19", "a newer Go"
}

// Error says which version is needed.
func (e *VersionError) Error() string {
	return fmt.Sprintf("the executable was built with %s: its functions can be looked up when it is built with Go 1.20 to 1.26", e.Built)
}

// Unwrap makes errors.Is(err, errors.ErrUnsupported) true.
func (e *VersionError) Unwrap() error { return errors.ErrUnsupported }

// WrongExecutableError says that an executable is not the one that was asked for: its names would be wrong.
type WrongExecutableError struct {
	Wanted, Found string // build IDs
}

// Error says what to look for.
func (e *WrongExecutableError) Error() string {
	return fmt.Sprintf("this executable was not the program: its build ID is %s, the program's is %s. Give the very file that ran; the same source built again may do", e.Found, e.Wanted)
}

// ErrNoBuildID says that an executable carries no build ID, so that nobody can say whether it is the one that ran.
var ErrNoBuildID = errors.New("the executable carries no build ID")

// BiasError says that it can't be told where an executable was loaded.
type BiasError struct {
	Reason string
}

// Error says why.
func (e *BiasError) Error() string {
	return "where the executable was loaded can't be told: " + e.Reason
}
