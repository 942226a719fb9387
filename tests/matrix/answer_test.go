package matrix

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// finding is one thing that a door says is wrong.
type finding struct {
	Code     string         `json:"code"`
	Severity string         `json:"severity"`
	Address  string         `json:"address"`
	Struct   string         `json:"struct"`
	Field    string         `json:"field"`
	Found    string         `json:"found"`
	Expected string         `json:"expected"`
	Why      string         `json:"why"`
	Summary  string         `json:"summary"`
	Cause    string         `json:"cause"`
	Block    map[string]any `json:"block"`
}

// answer is what a door says at one stop. What only belongs to one process is taken out of it: addresses are distances from
// the heap's base.
type answer struct {
	findings []finding
}

// doors are the columns of the matrix.
var doors = []string{
	"itself", "process", "snapshot", "memfd", "structs", "--dlv", "gh_check", "gh_structs", "gdb", "core in gdb", "stripped in gdb",
	"kernel's core", "gcore", "dlv dump",
}

// sayStructs are the doors at which the structs are judged, with no code for what is wrong.
var sayStructs = map[string]bool{"structs": true, "gh_structs": true}

// told by all doors, by mode, door and stop.
type answers struct {
	lock  sync.Mutex
	all   map[string]map[string][]answer
	stops map[string][]stop
}

// add keeps the next answer of a door, which is JSON.
func (a *answers) add(t *testing.T, mode, door, text string) {
	t.Helper()
	require.Contains(t, doors, door)
	found := answer{read(t, door, text)}
	a.lock.Lock()
	defer a.lock.Unlock()
	if a.all[mode] == nil {
		a.all[mode] = map[string][]answer{}
	}
	a.all[mode][door] = append(a.all[mode][door], found)
}

// tell keeps where the victim of a mode stands, with what is damaged there.
func (a *answers) tell(mode string, s stop) {
	a.lock.Lock()
	defer a.lock.Unlock()
	a.stops[mode] = append(a.stops[mode], s)
}

// read takes the answer of check or of structs.
func read(t *testing.T, door, text string) []finding {
	t.Helper()
	var report struct {
		Findings  []finding       `json:"findings"`
		Unsettled []finding       `json:"unsettled"`
		Notes     []string        `json:"notes"`
		Structs   json.RawMessage `json:"structs"`
		Problems  []finding       `json:"problems"`
	}
	require.NoError(t, json.Unmarshal([]byte(text), &report), "%s: %s", door, text)
	require.Empty(t, report.Unsettled, "%s: nothing is under way", door)
	require.Empty(t, report.Notes, door)
	found := append(report.Findings, report.Problems...)
	if sayStructs[door] {
		found = append(found, wrongFields(t, report.Structs)...)
	}
	base := baseIn(t, text)
	for i := range found {
		found[i].withoutProcess(base)
	}
	return found
}

// baseIn is where an answer says that the heap lies.
func baseIn(t *testing.T, text string) uint64 {
	t.Helper()
	var report struct {
		Heap struct {
			Base string `json:"base"`
		} `json:"heap"`
	}
	require.NoError(t, json.Unmarshal([]byte(text), &report), "%s", text)
	base, err := strconv.ParseUint(report.Heap.Base, 0, 64)
	require.NoError(t, err, "%s", text)
	return base
}

// wrongFields are the findings that structs makes of its judgements.
func wrongFields(t *testing.T, structs json.RawMessage) (found []finding) {
	var judged []struct {
		Name     string `json:"name"`
		Address  string `json:"address"`
		Verdicts []struct {
			Field, Found, Expected, Why string
			OK                          bool
		} `json:"verdicts"`
	}
	require.NoError(t, json.Unmarshal(structs, &judged))
	for _, j := range judged {
		for _, v := range j.Verdicts {
			if !v.OK {
				found = append(found, finding{Address: j.Address, Struct: j.Name, Field: v.Field, Found: v.Found, Expected: v.Expected, Why: v.Why})
			}
		}
	}
	return found
}

// farthest is more bytes than a heap of the victim has, metadata included.
const farthest = 1 << 30

var hex = regexp.MustCompile(`0x[0-9a-f]{9,16}\b`)

// relative replaces the addresses in a text by their distances from the heap's base.
func relative(text string, base uint64) string {
	return hex.ReplaceAllStringFunc(text, func(number string) string {
		if n, err := strconv.ParseUint(number, 0, 64); err == nil && n-base < farthest {
			return fmt.Sprintf("base+0x%x", n-base)
		}
		return number
	})
}

// withoutProcess takes out of a finding what is another thing in each process: addresses, and what depends on the secret.
func (f *finding) withoutProcess(base uint64) {
	for _, text := range []*string{&f.Address, &f.Struct, &f.Field, &f.Found, &f.Expected, &f.Why, &f.Summary, &f.Cause} {
		*text = relative(*text, base)
	}
	for key, value := range f.Block {
		if text, ok := value.(string); ok {
			f.Block[key] = relative(text, base)
		}
	}
	delete(f.Block, "seal_word")
	if f.Field == "Checksum" { // it covers the secret and the time
		f.Summary = strings.NewReplacer(f.Found, "…", f.Expected, "…").Replace(f.Summary)
		f.Found, f.Expected = "…", "…"
	}
}
