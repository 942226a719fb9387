// Package glassheapexpvar publishes what the heaps of this program count by package expvar, whose /debug/vars shows it as JSON:
//
//	err := glassheapexpvar.Publish()
//
//	curl localhost:6060/debug/vars | jq .glassheap.sessions.live_blocks
//
// The variable glassheap is an object with a member for each heap that is open at that moment, those made later included, by its name.
// Of several with one name the second is NAME#2. Sizes are in bytes. The members of a heap stay what they are; new ones may come.
//
// It is a package of its own because importing expvar makes http.DefaultServeMux serve /debug/vars.
package glassheapexpvar

import (
	"encoding/json"
	"expvar"
	"fmt"
	"sync"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/internal/openheaps"
)

// Name is the variable's name.
const Name = "glassheap"

// Var is the variable, for expvar.Publish under another name, or for another place that takes an expvar.Var. Its zero value is ready,
// and may be read by several goroutines at the same time.
type Var struct{}

// figures is what is told of a heap. Its order is that of allocator.Stats.
type figures struct {
	Mode              string `json:"mode"`
	ReserveBytes      uint64 `json:"reserve_bytes"`
	ReserveShortage   uint64 `json:"reserve_shortage_bytes"`
	MappedBytes       uint64 `json:"mapped_bytes"`
	InUseBytes        uint64 `json:"in_use_bytes"`
	RetainedBytes     uint64 `json:"retained_bytes"`
	LimitBytes        uint64 `json:"limit_bytes"`
	HugeBytes         uint64 `json:"huge_bytes"`
	HugeRefused       string `json:"huge_refused"`
	MetadataBytes     uint64 `json:"metadata_bytes"`
	Allocs            uint64 `json:"allocs"`
	Frees             uint64 `json:"frees"`
	LiveBlocks        uint64 `json:"live_blocks"`
	CachedBlocks      uint64 `json:"cached_blocks"`
	QuarantinedBlocks uint64 `json:"quarantined_blocks"`
	Slabs             uint64 `json:"slabs"`
	Spans             uint64 `json:"spans"`
	WithdrawnBlocks   uint64 `json:"withdrawn_blocks"`
	Violations        uint64 `json:"violations"`
	GuardPagesRefused uint64 `json:"guard_pages_refused"`
}

func figuresOf(s *allocator.Stats) figures {
	refused := ""
	if s.HugeRefused != nil {
		refused = s.HugeRefused.Error()
	}
	return figures{
		s.Mode.String(), s.ReserveBytes, s.ReserveShortage, s.MappedBytes, s.InUseBytes, s.RetainedBytes, s.LimitBytes, s.HugeBytes,
		refused, s.MetadataBytes, s.Allocs, s.Frees, s.LiveBlocks, s.CachedBlocks, s.Quarantined, s.Slabs, s.Spans, s.Withdrawn, s.Violations, s.GuardsLost,
	}
}

// String is the heaps' figures as a JSON object.
func (Var) String() string {
	heaps := map[string]figures{}
	for _, c := range openheaps.Count() {
		heaps[c.Name] = figuresOf(&c.Stats)
	}
	text, err := json.Marshal(heaps) // sorts by name
	if err != nil {
		panic(err) // strings and numbers are always JSON
	}
	return string(text)
}

var publishing sync.Mutex

// Publish publishes the variable. It may be called several times, by whoever needs it. The error says that the name is taken by
// another variable, where expvar.Publish would end the program.
func Publish() error {
	publishing.Lock()
	defer publishing.Unlock()
	switch taken := expvar.Get(Name); taken.(type) {
	case nil:
		expvar.Publish(Name, Var{})
	case Var:
	default:
		return fmt.Errorf("glassheap: the expvar variable %q is published already, as a %T: publish glassheapexpvar.Var{} under another name", Name, taken)
	}
	return nil
}
