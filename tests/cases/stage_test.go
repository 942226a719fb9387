package cases

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/inspect"
)

// scenario is what a program does in one case. It is played on a stage of its own.
type scenario func(s *stage)

// scenarios are all of them, by the name of their case.
var scenarios = map[string]scenario{}

func register(all map[string]scenario) {
	for name, play := range all {
		if _, twice := scenarios[name]; twice {
			panic("two scenarios are called " + name)
		}
		scenarios[name] = play
	}
}

// TestMain plays a scenario when this is the process of one.
func TestMain(m *testing.M) {
	if name := os.Getenv("GLASSHEAP_TEST_CASE"); name != "" {
		play(name, os.Getenv("GLASSHEAP_TEST_MODE"))
		return
	}
	os.Exit(m.Run())
}

// stage is a process with a heap in which a scenario plays. What goes wrong with it is a panic, which the parent reports.
type stage struct {
	heap       *allocator.Heap
	violations []*allocator.Violation // since the scenario last asked
	lock       sync.Mutex             // of violations
	parent     *bufio.Reader
	told       []string // what the program itself said, for the table
}

// question asks the parent to look at the heap from outside.
type question struct {
	Code    inspect.Code // that check must find; "": nothing
	Block   uint64       // that it must blame; 0: none in particular
	Summary string       // a regular expression that the finding's summary must match
	Lost    *lost        // what nothing refers to any more, when that is the question
	Told    []string     // at the end: what the program itself said
	Done    bool
}

// lost is what leaks --unreachable must find: this many heads at least, and as many blocks below each.
type lost struct{ Heads, Below uint64 }

func play(name, mode string) {
	// With one P, a block that is freed is the next one to be allocated. Who needs more of them says so.
	runtime.GOMAXPROCS(1)
	s := &stage{parent: bufio.NewReader(os.Stdin)}
	s.heap = s.newHeap(name, mode)
	scenarios[name](s)
	s.quiet()
	s.ask(question{Done: true, Told: s.told})
}

func (s *stage) newHeap(name, mode string) *allocator.Heap {
	o := allocator.Options{Name: name, ReserveBytes: 64 << 20, OnViolation: s.violated}
	switch mode {
	case "audit":
		o.Mode = allocator.ModeAudit
	case "guard":
		o.GuardRate = 1
	}
	h, err := allocator.New(o)
	must(err)
	return h
}

// violated collects what the heap tells of, from whichever goroutine.
func (s *stage) violated(v *allocator.Violation) {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.violations = append(s.violations, v)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func (s *stage) alloc(n int) []byte {
	b, err := s.heap.Alloc(n)
	must(err)
	return b
}

func (s *stage) free(b []byte) { must(s.heap.Free(b)) }

// tells expects that the program was just told of one violation: of this kind, about this block (nil: about none).
func (s *stage) tells(kind allocator.Kind, block unsafe.Pointer, detail string) *allocator.Violation {
	if len(s.violations) != 1 {
		panic(fmt.Sprintf("%d violations instead of one %s: %v", len(s.violations), kind, s.violations))
	}
	v := s.violations[0]
	s.violations = nil
	switch {
	case v.Kind != kind:
		panic(fmt.Sprintf("%s instead of %s: %v", v.Kind, kind, v))
	case block != nil && v.Block != uint64(uintptr(block)):
		panic(fmt.Sprintf("block %#x is blamed instead of %p: %v", v.Block, block, v))
	case !regexp.MustCompile(detail).MatchString(v.Error()):
		panic(fmt.Sprintf("%q does not match %q", v.Error(), detail))
	}
	s.note(string(kind))
	return v
}

// refuses is tells, for an operation that must have returned the violation as its error.
func (s *stage) refuses(err error, kind allocator.Kind, block unsafe.Pointer, detail string) *allocator.Violation {
	if err == nil {
		panic("no error instead of a " + string(kind))
	}
	return s.tells(kind, block, detail)
}

// quiet expects that there was no violation.
func (s *stage) quiet() {
	if len(s.violations) > 0 {
		panic(fmt.Sprintf("a false alarm: %v", s.violations))
	}
}

// calls reports whether a function of this package is on the stack of an operation.
func calls(o *allocator.Operation, function string) bool {
	for _, f := range o.Frames() {
		if strings.HasSuffix(f.Function, "cases."+function) {
			return true
		}
	}
	return false
}

// note remembers what the program itself said.
func (s *stage) note(what string) {
	if len(s.told) == 0 || s.told[len(s.told)-1] != what {
		s.told = append(s.told, what)
	}
}

// checkFinds has the heap checked from outside, and expects a finding.
func (s *stage) checkFinds(code inspect.Code, block unsafe.Pointer, summary string) {
	s.ask(question{Code: code, Block: uint64(uintptr(block)), Summary: summary})
}

// leaksFind has the process searched from outside for what nothing in it refers to.
func (s *stage) leaksFind(l lost) { s.ask(question{Lost: &l}) }

// checkIsHealthy has the heap checked from outside, and expects none.
func (s *stage) checkIsHealthy() { s.ask(question{}) }

// ask hands a question to the parent and waits for it to be answered.
func (s *stage) ask(q question) {
	line, err := json.Marshal(q)
	must(err)
	fmt.Println(string(line))
	answer, err := s.parent.ReadString('\n')
	must(err)
	if strings.TrimSpace(answer) != "go on" {
		panic("the parent says " + answer)
	}
}

// The program's side of memory errors: reads and writes that no slice would let through.

func start(b []byte) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(b)) }

func write(b []byte, offset int, values ...byte) {
	for i, v := range values {
		*(*byte)(unsafe.Add(start(b), offset+i)) = v
	}
}

func read(b []byte, offset int) byte { return *(*byte)(unsafe.Add(start(b), offset)) }

// isFilled reports whether all bytes are the same.
func isFilled(b []byte, with byte) bool {
	for _, v := range b {
		if v != with {
			return false
		}
	}
	return true
}
