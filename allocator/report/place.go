package report

import (
	"fmt"
	"slices"
)

// Place says where a block is, by the one list that it is on.
type Place uint8

// The places of a block.
const (
	PlaceVirgin      Place = iota // was never handed out
	PlaceLive                     // on no list: the user has it
	PlaceFree                     // on its slab's free list
	PlaceCached                   // in a P's magazine
	PlaceDepot                    // in a magazine of the bin's depot
	PlaceInFlight                 // on top of a P's magazine while an Alloc or a Free is under way
	PlaceWithdrawn                // found damaged, out of use for ever
	PlaceLost                     // free by its link, but on no list
	PlaceQuarantined              // freed in audit mode and held back
)

var placeNames = [...]string{"virgin", "live", "free", "cached", "depot", "in-flight", "withdrawn", "lost", "quarantined"}

// PlaceNames are the words for all places.
func PlaceNames() []string { return placeNames[:] }

// String is the word that every output uses.
func (p Place) String() string { return placeNames[p] }

// MarshalText is String.
func (p Place) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (p *Place) UnmarshalText(text []byte) error {
	i := slices.Index(placeNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("%q is no place of a block", text)
	}
	*p = Place(i)
	return nil
}

// Free reports whether a block in this place carries a free block's seal.
func (p Place) Free() bool {
	return p == PlaceFree || p == PlaceCached || p == PlaceDepot || p == PlaceQuarantined
}
