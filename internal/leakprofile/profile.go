// Package leakprofile writes live blocks as a profile that `go tool pprof` opens.
package leakprofile

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/google/pprof/profile"

	"github.com/glassheap/glassheap/allocator/report"
)

// Group is the blocks that one stack allocated.
type Group struct {
	Blocks, Bytes int64
	Frames        []report.Frame // innermost first; empty: only addresses are known
	Addresses     []uint64
	Unrecorded    string // why neither is known
}

// Program is the executable that addresses without names lie in, as far as it is known: pprof looks them up in it.
type Program struct{ File, BuildID string }

// Write writes a gzipped profile with two values for each stack: live_blocks and live_bytes. sampled is of how many blocks one was
// recorded, when the values are estimates; 0: they are counts.
func Write(w io.Writer, groups []Group, program Program, sampled uint64, taken time.Time) error {
	b := builder{
		profile: &profile.Profile{
			SampleType:        []*profile.ValueType{{Type: "live_blocks", Unit: "count"}, {Type: "live_bytes", Unit: "bytes"}},
			DefaultSampleType: "live_bytes",
			TimeNanos:         taken.UnixNano(),
			PeriodType:        &profile.ValueType{Type: "allocations", Unit: "count"},
			Period:            max(1, int64(sampled)),
		},
		functions: map[functionKey]*profile.Function{},
		locations: map[string]*profile.Location{},
	}
	if sampled > 1 {
		b.profile.Comments = []string{fmt.Sprintf("about: one of %d allocations was recorded, and the values are scaled up", sampled)}
	}
	if program != (Program{}) {
		b.mapping = &profile.Mapping{ID: 1, Limit: ^uint64(0), File: program.File, BuildID: program.BuildID}
		b.profile.Mapping = []*profile.Mapping{b.mapping}
	}
	for _, g := range groups {
		b.sample(g)
	}
	b.orderAddresses()
	if err := b.profile.CheckValid(); err != nil {
		return fmt.Errorf("the profile is not valid: %w", err)
	}
	return b.profile.Write(w)
}

type builder struct {
	profile   *profile.Profile
	mapping   *profile.Mapping // nil: nothing is known of the program
	functions map[functionKey]*profile.Function
	locations map[string]*profile.Location // by address and lines
	unnamed   bool
}

type functionKey struct{ name, file string }

func (b *builder) sample(g Group) {
	s := &profile.Sample{Value: []int64{g.Blocks, g.Bytes}}
	switch {
	case len(g.Frames) > 0:
		start := 0
		for i, f := range g.Frames {
			if !f.Inlined || i == len(g.Frames)-1 {
				s.Location = append(s.Location, b.location(g.Frames[start:i+1]))
				start = i + 1
			}
		}
	case len(g.Addresses) > 0:
		for _, a := range g.Addresses {
			b.unnamed = true
			// pprof takes addresses for those of calls, not for where they return to.
			s.Location = append(s.Location, b.intern(fmt.Sprint(a), &profile.Location{Address: a - 1}))
		}
	default:
		s.Location = []*profile.Location{b.location([]report.Frame{{Function: "[" + cmp.Or(g.Unrecorded, "not recorded") + "]"}})}
	}
	b.profile.Sample = append(b.profile.Sample, s)
}

// location is one address: a call, with those that were inlined into it before it.
func (b *builder) location(frames []report.Frame) *profile.Location {
	l := &profile.Location{Address: frames[len(frames)-1].PC}
	var key strings.Builder
	fmt.Fprint(&key, l.Address)
	for _, f := range frames {
		l.Line = append(l.Line, profile.Line{Function: b.function(f), Line: int64(f.Line)})
		fmt.Fprintf(&key, "\n%s:%d %s", f.File, f.Line, f.Function)
	}
	return b.intern(key.String(), l)
}

func (b *builder) intern(key string, l *profile.Location) *profile.Location {
	if known := b.locations[key]; known != nil {
		return known
	}
	l.ID, l.Mapping = uint64(len(b.profile.Location)+1), b.mapping
	b.profile.Location = append(b.profile.Location, l)
	b.locations[key] = l
	return l
}

func (b *builder) function(f report.Frame) *profile.Function {
	key := functionKey{f.Function, f.File}
	if known := b.functions[key]; known != nil {
		return known
	}
	p := &profile.Function{ID: uint64(len(b.profile.Function) + 1), Name: f.Function, SystemName: f.Function, Filename: f.File}
	b.profile.Function = append(b.profile.Function, p)
	b.functions[key] = p
	return p
}

// orderAddresses says of the mapping what pprof wants to know: which addresses it covers, and that names need no looking up.
func (b *builder) orderAddresses() {
	if b.mapping == nil || len(b.profile.Location) == 0 {
		return
	}
	byAddress := func(a, c *profile.Location) int { return cmp.Compare(a.Address, c.Address) }
	b.mapping.Start = slices.MinFunc(b.profile.Location, byAddress).Address &^ 0xfff
	b.mapping.Limit = slices.MaxFunc(b.profile.Location, byAddress).Address | 0xfff
	named := !b.unnamed
	b.mapping.HasFunctions, b.mapping.HasFilenames, b.mapping.HasLineNumbers, b.mapping.HasInlineFrames = named, named, named, named
}
