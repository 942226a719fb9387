package target

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/rpc"
	"net/rpc/jsonrpc"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/allocator/layout"
)

// beDebugged makes two heaps and stands at a breakpoint.
func beDebugged() {
	for i, name := range []string{"one", "two"} {
		h, err := allocator.New(allocator.Options{Name: name, ReserveBytes: 16 << 20})
		must(err)
		b, err := h.Alloc(100 << 10)
		must(err)
		copy(b, noise(uint64(i), len(b)))
	}
	runtime.Breakpoint()
}

// debugSession starts this test binary under a headless Delve and returns the session's address once it stands.
func debugSession(t *testing.T) string {
	t.Helper()
	c := exec.Command("go", "tool", "dlv", "exec", os.Args[0], "--headless", "--accept-multiclient", "--continue", "--listen", "127.0.0.1:0")
	c.Env = append(os.Environ(), roleKey+"=debugged")
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	c.Stderr = os.Stderr
	require.NoError(t, c.Start())
	t.Cleanup(func() {
		_ = c.Process.Signal(os.Interrupt)
		go io.Copy(io.Discard, out)
		_ = c.Wait()
	})
	listening := regexp.MustCompile(`listening at: (\S+)`)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if m := listening.FindStringSubmatch(lines.Text()); m != nil {
			go io.Copy(io.Discard, out)
			return m[1]
		}
	}
	t.Fatal("Delve does not listen")
	return ""
}

// The binary of a test has no symbols, so this is a program without.
func TestDelveReadsWhatTheProcessReads(t *testing.T) {
	address := debugSession(t)
	var delve Target
	require.Eventually(t, func() (ok bool) {
		var err error
		delve, err = OpenDelve(context.Background(), address, Options{Heap: "two"})
		return err == nil
	}, 60*time.Second, 50*time.Millisecond, "the program reaches its breakpoint")
	defer delve.Close()
	d := delve.Description()
	require.Equal(t, KindDelve, d.Kind)
	require.Empty(t, delve.(Warner).Warning())
	require.Regexp(t, `^process \d+ \(.*\), stopped in Delve$`, d.String())
	_, stops := delve.(Stopper)
	require.False(t, stops, "a session is never stopped or resumed from here")

	process, err := OpenProcess(d.PID, Options{Heap: "two"})
	require.NoError(t, err)
	defer process.Close()
	require.Equal(t, process.Base(), delve.Base())
	var head layout.Header
	copy(layout.Bytes(&head), readAll(t, process, 0, int64(unsafe.Sizeof(head))))
	id := &head.Identity
	for _, part := range [][2]uint64{{id.Base, layout.HeaderBytes}, {uint64(id.Bins), 8 << 10}, {uint64(id.PageMap), 2048}, {id.Descriptors, head.DescriptorsTop - id.Descriptors}, {id.Data, layout.ArenaBytes}} {
		offset, size := int64(part[0]-id.Base), int64(part[1])
		require.Equal(t, readAll(t, process, offset, size), readAll(t, delve, offset, size))
	}

	_, err = OpenDelve(context.Background(), address, Options{})
	require.ErrorAs(t, err, new(*AmbiguousError))
	_, err = OpenDelve(context.Background(), address, Options{Heap: "three"})
	require.ErrorAs(t, err, new(*NoHeapError))
}

// RPCServer is a session of a test's own: what Delve would answer in states that are hard to bring about.
type RPCServer struct {
	state  map[string]any
	single bool
	heap   *allocator.Heap
}

func (s *RPCServer) SetApiVersion(struct{}, *struct{}) error { return nil }

func (s *RPCServer) State(_ struct{}, out *map[string]any) error {
	*out = map[string]any{"State": s.state}
	return nil
}

func (s *RPCServer) IsMulticlient(_ struct{}, out *map[string]bool) error {
	*out = map[string]bool{"IsMulticlient": !s.single}
	return nil
}

func (s *RPCServer) Eval(in struct{ Expr string }, out *map[string]any) error {
	base, _ := s.heap.Range()
	value := map[string]string{"len(" + delveHeaps + ")": "1", delveHeaps + "[0].baseAddress": fmt.Sprint(base), delveHeaps + "[0].options.Name": s.heap.Name()}[in.Expr]
	*out = map[string]any{"Variable": map[string]string{"value": value}}
	return nil
}

// ExamineMemory knows the first page only, as if the rest had never been made accessible.
func (s *RPCServer) ExamineMemory(in struct {
	Address uint64
	Length  int
}, out *map[string]any) error {
	base, _ := s.heap.Range()
	if in.Address != base || in.Length > delvePage {
		return fmt.Errorf("input/output error")
	}
	p, err := s.heap.Malloc(8)
	if err != nil {
		return err
	}
	defer s.heap.FreePointer(p)
	header := unsafe.Add(p, -int(uint64(uintptr(p))-base))
	*out = map[string]any{"Mem": append([]byte(nil), unsafe.Slice((*byte)(header), in.Length)...)}
	return nil
}

func serve(t *testing.T, s *RPCServer) string {
	t.Helper()
	h, err := allocator.New(allocator.Options{Name: "served", ReserveBytes: 16 << 20})
	require.NoError(t, err)
	t.Cleanup(func() { _ = h.Close() })
	s.heap = h
	server := rpc.NewServer()
	require.NoError(t, server.Register(s))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go server.ServeCodec(jsonrpc.NewServerCodec(connection))
		}
	}()
	return listener.Addr().String()
}

func TestDelveSessionsThatCantBeAsked(t *testing.T) {
	for want, state := range map[string]map[string]any{
		"lets its program run. Stop it there": {"Running": true},
		"holds a program that has ended":      {"exited": true},
		"does not tell its state":             nil,
	} {
		address := serve(t, &RPCServer{state: state})
		_, err := OpenDelve(context.Background(), address, Options{})
		require.ErrorAs(t, err, new(*SessionError))
		require.ErrorContains(t, err, want)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	nobody := listener.Addr().String()
	listener.Close()
	_, err = OpenDelve(context.Background(), nobody, Options{})
	require.ErrorContains(t, err, "--accept-multiclient")
}

func TestDelveTellsOfASessionForOne(t *testing.T) {
	address := serve(t, &RPCServer{state: map[string]any{"Pid": 7, "TargetCommandLine": "/bin/server -v"}, single: true})
	d, err := OpenDelve(context.Background(), address, Options{})
	require.NoError(t, err)
	defer d.Close()
	require.Contains(t, d.(Warner).Warning(), "--accept-multiclient")
	require.Equal(t, "process 7 (server), stopped in Delve", d.Description().String())
	// What can't be read is zeros, page by page; the page that can be read is itself.
	buf := readAll(t, d, 0, 2*delvePage)
	require.NotEqual(t, make([]byte, 8), buf[:8])
	require.Equal(t, make([]byte, delvePage), buf[delvePage:])
	_, err = d.ReadAt(buf, d.Size()-10)
	require.ErrorIs(t, err, io.EOF)
}
