package target

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/glassheap/glassheap/allocator"
)

// The tests look into real processes: this test binary, started again in one of these roles.
const roleKey = "GLASSHEAP_TARGET_TEST"

func TestMain(m *testing.M) {
	traceFromFirstThread()
	role, orders := os.Getenv(roleKey), os.Getenv(roleKey+"_ORDERS")
	switch role {
	case "":
		os.Exit(m.Run())
	case "owner":
		beOwner(orders)
	case "killer":
		beKiller(orders)
	case "visitor":
		beVisitor(orders)
	case "sandboxed":
		beSandboxed(orders)
	case "debugged":
		beDebugged()
	case "holder":
		say("holding")
		waitForEnd()
	}
	os.Exit(0)
}

// say and hear are how the roles talk: a line of JSON each.
func say(v any) {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(text))
}

// waitForEnd waits until nobody holds the other end of the standard input any more.
func waitForEnd() { io.Copy(io.Discard, os.Stdin) }

// orders are what an owner is to do.
type orders struct {
	Heaps   []heapOrder
	Busy    int    // goroutines that count, each on a thread of its own
	Births  int    // goroutines that make threads, each of which counts once and ends
	Signals bool   // count SIGUSR1
	Stuck   bool   // one thread waits where nothing interrupts it
	Parting string // at SIGUSR2: "close" the heaps, "exec" another program
}

type heapOrder struct {
	Name    string
	Backing allocator.Backing
	Path    string
	Fill    bool // one block that takes every arena, instead of the usual ones
	Bytes   int  // of one more block
}

// report is what an owner says when it is ready.
type report struct {
	Heaps    []heapReport
	Counters []uint64 // addresses of the busy goroutines' counters, in the first heap
	Signals  uint64   // address of the counter of signals
}

type heapReport struct {
	Name        string
	Base, Bytes uint64
	Blocks      []blockReport
}

type blockReport struct {
	Address uint64
	Bytes   int
	Seed    uint64
}

// beOwner makes heaps with known blocks, and keeps them.
func beOwner(text string) {
	var o orders
	must(json.Unmarshal([]byte(text), &o))
	var r report
	var heaps []*allocator.Heap
	for i, order := range o.Heaps {
		options := allocator.Options{Name: order.Name, Backing: order.Backing, Path: order.Path, ReserveBytes: 16<<20 + int64(order.Bytes)}
		h, err := allocator.New(options)
		must(err)
		heaps = append(heaps, h)
		hr := heapReport{Name: order.Name}
		hr.Base, hr.Bytes = h.Range()
		sizes := []int{1, 50, 1000, 8 << 10, 100 << 10, 3 << 20, order.Bytes}
		if order.Fill {
			sizes = []int{16<<20 - 16<<10}
		}
		for j, size := range sizes {
			if size == 0 {
				continue
			}
			b, err := h.Alloc(size)
			must(err)
			seed := uint64(i*100 + j)
			copy(b, noise(seed, size))
			hr.Blocks = append(hr.Blocks, blockReport{uint64(uintptr(unsafe.Pointer(&b[0]))), size, seed})
		}
		r.Heaps = append(r.Heaps, hr)
	}
	counter := func() (*atomic.Uint64, uint64) {
		p, err := heaps[0].Calloc(1, 8)
		must(err)
		return (*atomic.Uint64)(p), uint64(uintptr(p))
	}
	for range o.Busy {
		n, address := counter()
		r.Counters = append(r.Counters, address)
		go func() {
			runtime.LockOSThread()
			for i := 0; ; i++ {
				n.Add(1)
				if i%1000 == 0 {
					if b, err := heaps[0].Alloc(100); err == nil {
						heaps[0].Free(b)
					}
					runtime.Gosched()
				}
			}
		}()
	}
	for range o.Births {
		n, address := counter()
		r.Counters = append(r.Counters, address)
		go func() {
			for born := make(chan bool); ; <-born {
				go func() {
					runtime.LockOSThread() // the thread ends with it
					n.Add(1)
					born <- true
				}()
			}
		}()
	}
	if o.Signals {
		n, address := counter()
		r.Signals = address
		received := make(chan os.Signal, 100)
		signal.Notify(received, syscall.SIGUSR1)
		go func() {
			for range received {
				n.Add(1)
			}
		}()
	}
	if o.Stuck {
		go stick()
		for !anyThread(procOf(os.Getpid()), "D") {
			runtime.Gosched()
		}
	}
	parting := make(chan os.Signal, 1)
	signal.Notify(parting, syscall.SIGUSR2)
	go func() {
		<-parting
		if o.Parting == "exec" {
			must(os.Setenv(roleKey, "holder"))
			must(syscall.Exec("/proc/self/exe", os.Args, os.Environ()))
		}
		for _, h := range heaps {
			_ = h.Close() // it tells of leaks
		}
		say("closed")
	}()
	say(r)
	waitForEnd()
	runtime.KeepAlive(heaps)
}

// stick waits for a child that neither ends nor runs a program, which no signal but SIGKILL interrupts (CLONE_VFORK).
func stick() {
	runtime.LockOSThread()
	// The child must not enter the scheduler, which is not told of the call for that reason: it misses a processor from now
	// on, and could not collect.
	debug.SetGCPercent(-1)
	runtime.GC() // the last one
	runtime.GOMAXPROCS(8)
	pid, _, errno := syscall.RawSyscall6(syscall.SYS_CLONE, syscall.CLONE_VFORK|uintptr(syscall.SIGCHLD), 0, 0, 0, 0, 0)
	if errno != 0 {
		panic(errno)
	}
	if pid == 0 {
		syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_PDEATHSIG, uintptr(syscall.SIGKILL), 0)
		for {
			syscall.RawSyscall6(syscall.SYS_PPOLL, 0, 0, 0, 0, 0, 0)
		}
	}
}

func anyThread(p proc, state string) bool {
	tids, _ := p.threads()
	for _, tid := range tids {
		if s, err := p.thread(tid).stat(); err == nil && s.state == state {
			return true
		}
	}
	return false
}

// everyThread says that there are threads and that all are in one of the states. A thread may end while it is asked.
func everyThread(p proc, states ...string) bool {
	tids, err := p.threads()
	some := false
	for _, tid := range tids {
		s, err := p.thread(tid).stat()
		switch {
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ESRCH):
		case err != nil || !slices.Contains(states, s.state):
			return false
		default:
			some = true
		}
	}
	return err == nil && some
}

// beKiller starts an owner, stops it, and waits to be killed.
func beKiller(text string) {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), roleKey+"=owner", roleKey+"_ORDERS="+text)
	cmd.Stdin, cmd.Stderr = os.Stdin, os.Stderr // the owner outlives us and ends with the test
	out, err := cmd.StdoutPipe()
	must(err)
	must(cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	must(err)
	t, err := OpenProcess(cmd.Process.Pid, Options{})
	must(err)
	_, err = t.(Stopper).Stop(context.Background())
	must(err)
	say(cmd.Process.Pid)
	fmt.Print(line)
	select {}
}

// beVisitor tries to look into a process and tells what the errors say.
func beVisitor(text string) {
	pid, err := strconv.Atoi(text)
	must(err)
	_, err = OpenProcess(pid, Options{})
	say(errors.As(err, new(*PermissionError)))
	say(fmt.Sprint(err))
}

// beSandboxed looks into a process where process_vm_readv is forbidden, and tells through which door.
func beSandboxed(text string) {
	pid, err := strconv.Atoi(text)
	must(err)
	must(unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}, // the call's number
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.SYS_PROCESS_VM_READV, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if _, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&program))); errno != 0 {
		must(errno)
	}
	t, err := OpenProcess(pid, Options{})
	must(err)
	say(t.Description().Door)
	header := make([]byte, headerBytes)
	_, err = t.ReadAt(header, 0)
	must(err)
	say(header)
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// child is a process in one of the roles.
type child struct {
	*exec.Cmd
	lines *bufio.Reader
	input io.Closer
}

// start starts a role. It ends with the test.
func start(t testing.TB, role, orders string, adjust func(*exec.Cmd)) *child {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), roleKey+"="+role, roleKey+"_ORDERS="+orders)
	cmd.Stderr = os.Stderr
	if adjust != nil {
		adjust(cmd)
	}
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	c := &child{Cmd: cmd, lines: bufio.NewReader(out), input: in}
	t.Cleanup(c.end)
	return c
}

// end kills and buries the process. Only here may it be waited for: see Stopper.
func (c *child) end() {
	c.Process.Kill()
	c.input.Close()
	c.Wait()
}

func (c *child) hear(t testing.TB, v any) {
	t.Helper()
	line, err := c.lines.ReadBytes('\n')
	require.NoError(t, err, "the other process ended early")
	require.NoError(t, json.Unmarshal(line, v))
}

func startOwner(t testing.TB, o orders) (*child, report) {
	t.Helper()
	text, err := json.Marshal(o)
	require.NoError(t, err)
	c := start(t, "owner", string(text), nil)
	var r report
	c.hear(t, &r)
	return c, r
}

// eventually polls a condition that another process brings about.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !condition(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

func openHeap(t testing.TB, pid int, name string) Target {
	t.Helper()
	opened, err := OpenProcess(pid, Options{Heap: name})
	require.NoError(t, err)
	t.Cleanup(func() { opened.Close() })
	return opened
}

func readAll(t testing.TB, source io.ReaderAt, offset, size int64) []byte {
	t.Helper()
	p := bytes.Repeat([]byte{0xaa}, int(size)) // what the read doesn't write is seen
	n, err := source.ReadAt(p, offset)
	require.NoError(t, err)
	require.Equal(t, len(p), n)
	return p
}

// counters reads the counters of an owner.
func counters(t testing.TB, from Target, base uint64, addresses []uint64) []uint64 {
	t.Helper()
	values := make([]uint64, len(addresses))
	for i, a := range addresses {
		values[i] = binary.LittleEndian.Uint64(readAll(t, from, int64(a-base), 8))
	}
	return values
}

func inTestFolder(t testing.TB, name string) string { return filepath.Join(t.TempDir(), name) }
