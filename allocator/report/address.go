package report

import (
	"fmt"
	"strconv"

	"github.com/glassheap/glassheap/allocator/layout"
)

// Address is an address in the process that owns the heap. Text and JSON show it in hexadecimal.
type Address uint64

// String is the address as every output shows it.
func (a Address) String() string { return layout.Hex(uint64(a)) }

// MarshalText makes JSON show what String does: numbers of 64 bits do not survive every JSON reader.
func (a Address) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (a *Address) UnmarshalText(text []byte) error {
	v, err := strconv.ParseUint(string(text), 0, 64)
	if err != nil {
		return fmt.Errorf("%q is no address", text)
	}
	*a = Address(v)
	return nil
}
