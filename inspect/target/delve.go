package target

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/rpc"
	"net/rpc/jsonrpc"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
	"unsafe"

	"github.com/glassheap/glassheap/allocator/layout"
)

// OpenDelve opens a heap of the program that a headless Delve holds at a breakpoint (dlv … --headless --accept-multiclient
// --listen ADDRESS), to which a person or an editor may be connected. Memory is read through the session; the program is never
// resumed, the session never changed. A session that serves one client only ends with that client, whoever it is; the target
// then has a Warning. A *SessionError says what is wrong with the session and what to do.
//
// The calls are those of Delve's JSON-RPC API, version 2 (github.com/go-delve/delve, Documentation/api/json-rpc).
func OpenDelve(ctx context.Context, address string, o Options) (Target, error) {
	s, err := dialDelve(ctx, address)
	if err != nil {
		return nil, err
	}
	t, err := s.open(o)
	if err != nil {
		s.connection.Close()
		return nil, err
	}
	return t, nil
}

// SessionError says why a Delve session can't be asked.
type SessionError struct {
	Address string
	Problem string
	Advice  string
	Err     error
}

// Error says what is wrong and what to do.
func (e *SessionError) Error() string {
	text := fmt.Sprintf("the Delve session at %s %s", e.Address, e.Problem)
	if e.Err != nil {
		text += ": " + printable(e.Err.Error())
	}
	if e.Advice != "" {
		text += ". " + e.Advice
	}
	return text
}

// Unwrap is the error of the connection or of Delve, if there is one.
func (e *SessionError) Unwrap() error { return e.Err }

// delve is a connection to a session. It is safe for concurrent use, as rpc.Client is.
type delve struct {
	address    string
	connection *rpc.Client
}

// delveTimeout bounds every call: a session that runs would let some of them wait for ever.
const delveTimeout = 20 * time.Second

func dialDelve(ctx context.Context, address string) (*delve, error) {
	dialer := net.Dialer{Timeout: 5 * time.Second}
	connection, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, &SessionError{Address: address, Problem: "can't be reached", Err: err,
			Advice: "Start one with `dlv debug --headless --accept-multiclient --listen " + address + "`; it serves as many clients as you like"}
	}
	d := &delve{address, jsonrpc.NewClient(connection)}
	if err := d.call("SetApiVersion", map[string]int{"APIVersion": 2}, &struct{}{}); err != nil {
		d.connection.Close()
		return nil, &SessionError{Address: address, Problem: "does not speak Delve's JSON-RPC", Err: err,
			Advice: "A `dlv dap` of an editor speaks another protocol: start the program with `dlv … --headless --accept-multiclient` and let the editor attach to it (\"request\": \"attach\", \"mode\": \"remote\")"}
	}
	return d, nil
}

func (d *delve) call(method string, arguments, answer any) error {
	call := d.connection.Go("RPCServer."+method, arguments, answer, make(chan *rpc.Call, 1))
	select {
	case <-call.Done:
		return call.Error
	case <-time.After(delveTimeout):
		return errors.New("no answer for " + delveTimeout.String())
	}
}

// state fails when the program is not standing still.
func (d *delve) state() (pid int, command string, err error) {
	var answer struct {
		State *struct {
			Pid               int
			TargetCommandLine string
			Running           bool
			Recording         bool
			CoreDumping       bool
			Exited            bool `json:"exited"`
		}
	}
	if err := d.call("State", map[string]bool{"NonBlocking": true}, &answer); err != nil {
		return 0, "", &SessionError{Address: d.address, Problem: "does not tell its state", Err: err}
	}
	switch s := answer.State; {
	case s == nil:
		return 0, "", &SessionError{Address: d.address, Problem: "does not tell its state"}
	case s.Exited:
		return 0, "", &SessionError{Address: d.address, Problem: "holds a program that has ended", Advice: "Restart it there, and stop at a breakpoint"}
	case s.Running || s.Recording || s.CoreDumping:
		return 0, "", &SessionError{Address: d.address, Problem: "lets its program run", Advice: "Stop it there (a breakpoint, or the editor's pause); or ask the process itself: `glassheap check PID`"}
	default:
		return s.Pid, s.TargetCommandLine, nil
	}
}

// eval evaluates an expression that has a number or a string for its value.
func (d *delve) eval(expression string) (string, error) {
	var answer struct {
		Variable *struct {
			Value      string `json:"value"`
			Unreadable string `json:"unreadable"`
		}
	}
	arguments := map[string]any{
		"Scope": map[string]int{"GoroutineID": -1},
		"Expr":  expression,
		"Cfg":   map[string]int{"MaxStringLen": 64, "MaxArrayValues": 1, "MaxStructFields": -1},
	}
	switch err := d.call("Eval", arguments, &answer); {
	case err != nil:
		return "", err
	case answer.Variable == nil:
		return "", errors.New("no value")
	case answer.Variable.Unreadable != "":
		return "", errors.New(answer.Variable.Unreadable)
	}
	return answer.Variable.Value, nil
}

// delveHeaps is the allocator's list of open heaps, as Delve's expressions name it.
const delveHeaps = `"github.com/glassheap/glassheap/allocator".heaps`

// mostHeaps bounds how many heaps of a program are listed.
const mostHeaps = 1000

// heaps lists the heaps of the program, by its own list of them.
func (d *delve) heaps() ([]Place, error) {
	text, err := d.eval("len(" + delveHeaps + ")")
	if err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return nil, fmt.Errorf("the list of heaps has length %q", text)
	}
	var heaps []Place
	for i := range min(n, mostHeaps) {
		heap := fmt.Sprintf("%s[%d]", delveHeaps, i)
		base, err := d.eval(heap + ".baseAddress")
		if err != nil {
			return nil, err
		}
		f := Place{}
		if f.Base, err = strconv.ParseUint(base, 0, 64); err != nil {
			return nil, fmt.Errorf("heap %d begins at %q", i, base)
		}
		name, err := d.eval(heap + ".options.Name")
		if err != nil {
			return nil, err
		}
		f.Name, f.Backing = printable(name), "memory of the debugged program"
		heaps = append(heaps, f)
	}
	return heaps, nil
}

// heapsByMappings lists the heaps that a process of this machine has mapped, if it is the one in the session: then the session
// reads the same headers at their addresses.
func (d *delve) heapsByMappings(pid int) ([]Place, error) {
	places, err := FindHeaps(pid)
	if err != nil {
		return nil, err
	}
	for _, p := range places {
		t := &delveTarget{delve: d, base: p.Base, size: layout.HeaderBytes, cache: map[int64][]byte{}}
		var head layout.Header
		if _, err := t.ReadAt(layout.Bytes(&head), 0); err != nil {
			return nil, err
		}
		if head.Identity.Magic != layout.Magic && head.Twin.Magic != layout.Magic {
			return nil, fmt.Errorf("process %d of this machine is not the one in the session", pid)
		}
	}
	return places, nil
}

func (d *delve) open(o Options) (Target, error) {
	pid, command, err := d.state()
	if err != nil {
		return nil, err
	}
	program := ""
	if fields := strings.Fields(command); len(fields) > 0 {
		program = printable(filepath.Base(fields[0]))
	}
	heaps, err := d.heaps()
	if err != nil {
		// Without symbols Delve can't name the list. On the same machine the process's mappings tell as well.
		var failure error
		if heaps, failure = d.heapsByMappings(pid); failure != nil {
			return nil, &SessionError{Address: d.address, Problem: "can't list the program's heaps", Err: err,
				Advice: "Where the program was built without symbols, glassheap has to run on its machine, as its user"}
		}
	}
	i, err := choose(heaps, o, owner{pid: pid, program: program})
	if err != nil {
		return nil, err
	}
	f := heaps[i]
	t := &delveTarget{
		delve: d, base: f.Base, cache: map[int64][]byte{},
		description: Description{Kind: KindDelve, PID: pid, Program: program, Heap: f.Name, Door: doorDelve, Path: d.address},
	}
	var multi struct{ IsMulticlient bool }
	if err := d.call("IsMulticlient", struct{}{}, &multi); err == nil && !multi.IsMulticlient {
		t.warning = "the Delve session at " + d.address + " serves one client only and ends when glassheap leaves it: start it with --accept-multiclient"
	}
	t.size = int64(unsafe.Sizeof(layout.Header{}))
	var head layout.Header
	if _, err := t.ReadAt(layout.Bytes(&head), 0); err != nil {
		return nil, err
	}
	t.size = min(int64(max(head.Identity.Reserve, head.Twin.Reserve)), mostHeapBytes)
	return t, nil
}

// delveTarget is a heap of a program that stands still in a session. What was read once is kept: nobody here lets it run.
type delveTarget struct {
	*delve
	base        uint64
	size        int64
	description Description
	warning     string

	lock  sync.Mutex
	cache map[int64][]byte // by offset: pieces
}

const (
	// delvePiece is how much one call reads at most.
	delvePiece = 1 << 16
	// delvePage is what is readable or not as a whole.
	delvePage = 4096
	// mostCachedPieces bounds the cache: 64 MiB.
	mostCachedPieces = 1024
)

func (t *delveTarget) Base() uint64             { return t.base }
func (t *delveTarget) Size() int64              { return t.size }
func (t *delveTarget) Description() Description { return t.description }

// Warning is what the user should know about the session; empty: nothing.
func (t *delveTarget) Warning() string { return t.warning }

// Close leaves the session as it is.
func (t *delveTarget) Close() error { return t.connection.Close() }

// ReadAt reads through the session. Memory that can't be read there, because it was never made accessible, is zeros.
func (t *delveTarget) ReadAt(p []byte, offset int64) (n int, err error) {
	if offset < 0 {
		return 0, errors.New("a negative offset")
	}
	for n < len(p) {
		at := offset + int64(n)
		if at >= t.size {
			return n, io.EOF
		}
		piece, err := t.piece(at &^ (delvePiece - 1))
		if err != nil {
			return n, err
		}
		in := piece[at&(delvePiece-1):]
		n += copy(p[n:], in[:min(int64(len(in)), t.size-at)])
	}
	return n, nil
}

// piece is the memory of one piece: from the cache, or else read whole, or else page by page.
func (t *delveTarget) piece(offset int64) ([]byte, error) {
	t.lock.Lock()
	defer t.lock.Unlock()
	if piece := t.cache[offset]; piece != nil {
		return piece, nil
	}
	// That the program was let run meanwhile shows here, before a call that would wait for it.
	if _, _, err := t.state(); err != nil {
		return nil, err
	}
	piece, err := t.examine(offset, delvePiece)
	if err != nil {
		if errors.Is(err, rpc.ErrShutdown) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, &SessionError{Address: t.address, Problem: "has ended", Err: err}
		}
		piece = make([]byte, delvePiece)
		for at := int64(0); at < delvePiece; at += delvePage {
			if page, err := t.examine(offset+at, delvePage); err == nil {
				copy(piece[at:], page)
			}
		}
	}
	if len(t.cache) >= mostCachedPieces {
		clear(t.cache)
	}
	t.cache[offset] = piece
	return piece, nil
}

func (t *delveTarget) examine(offset int64, bytes int) ([]byte, error) {
	var answer struct{ Mem []byte }
	err := t.call("ExamineMemory", map[string]uint64{"Address": t.base + uint64(offset), "Length": uint64(bytes)}, &answer)
	if err == nil && len(answer.Mem) != bytes {
		err = fmt.Errorf("%d bytes were read instead of %d", len(answer.Mem), bytes)
	}
	return answer.Mem, err
}
