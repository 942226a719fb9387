package inspect

import "github.com/glassheap/glassheap/allocator/report"

// What an answer says of a block, of who had it, and of what is wrong with it is what the allocator says of a violation.
type (
	Address   = report.Address
	Block     = report.Block
	Place     = report.Place
	SealState = report.SealState
	Operation = report.Operation
	Frame     = report.Frame
	Finding   = report.Finding
	Code      = report.Code
	Severity  = report.Severity
	Excerpt   = report.Excerpt
)

// See the constants of package report for what each means.
const (
	PlaceVirgin      = report.PlaceVirgin
	PlaceLive        = report.PlaceLive
	PlaceFree        = report.PlaceFree
	PlaceCached      = report.PlaceCached
	PlaceDepot       = report.PlaceDepot
	PlaceInFlight    = report.PlaceInFlight
	PlaceWithdrawn   = report.PlaceWithdrawn
	PlaceLost        = report.PlaceLost
	PlaceQuarantined = report.PlaceQuarantined

	SealNone    = report.SealNone
	SealIntact  = report.SealIntact
	SealBroken  = report.SealBroken
	SealWrong   = report.SealWrong
	SealSlack   = report.SealSlack
	SealPoison  = report.SealPoison
	SealMark    = report.SealMark
	SealUnknown = report.SealUnknown

	SeverityDamage    = report.SeverityDamage
	SeverityUnsettled = report.SeverityUnsettled
)
