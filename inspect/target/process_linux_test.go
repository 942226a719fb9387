package target

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"math/big"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/allocator/layout"
)

var backings = map[string]allocator.Backing{
	"memfd": allocator.BackingMemfd, "file": allocator.BackingFile, "anonymous": allocator.BackingAnonymous,
}

func orderOf(t testing.TB, name, backing string) heapOrder {
	o := heapOrder{Name: name, Backing: backings[backing]}
	if backing == "file" {
		o.Path = inTestFolder(t, name+".heap")
	}
	return o
}

// requireContent holds a target against what the owner said.
func requireContent(t testing.TB, from Target, want heapReport) {
	t.Helper()
	id, ok := recognise(readAll(t, from, 0, int64(headerBytes)), want.Base)
	require.True(t, ok)
	require.Equal(t, want.Name, id.HeapName())
	require.Equal(t, id.Sum(), id.Checksum)
	for _, b := range want.Blocks {
		got := readAll(t, from, int64(b.Address-want.Base), int64(b.Bytes))
		require.True(t, bytes.Equal(noise(b.Seed, b.Bytes), got), "block of %d bytes", b.Bytes)
	}
}

func TestProcess(t *testing.T) {
	doors := map[string]string{"memfd": "memfd", "file": "heap file", "anonymous": "process_vm_readv"}
	for backing := range backings {
		t.Run(backing, func(t *testing.T) {
			c, r := startOwner(t, orders{Heaps: []heapOrder{orderOf(t, "a \x1b[31mheap", backing)}})
			opened, err := Open(t.Context(), strconv.Itoa(c.Process.Pid), Options{})
			require.NoError(t, err)
			defer opened.Close()
			want := r.Heaps[0]
			requireContent(t, opened, want)
			require.Equal(t, want.Base, opened.Base())
			require.Equal(t, Description{
				Kind: KindProcess, PID: c.Process.Pid, Program: "target.test", Heap: "a ·[31mheap", Door: doors[backing],
			}, opened.Description())
			if backing == "anonymous" {
				require.EqualValues(t, want.Bytes, opened.Size())
			} else {
				require.Less(t, opened.Size(), int64(want.Bytes))
				require.Greater(t, opened.Size(), int64(want.Blocks[5].Address-want.Base)+3<<20-1)
			}

			places, err := FindHeaps(c.Process.Pid)
			require.NoError(t, err)
			require.Len(t, places, 1)
			require.Equal(t, want.Base, places[0].Base)
			require.Equal(t, backing, places[0].Backing)
			require.Greater(t, places[0].Bytes, uint64(3<<20))
			require.Less(t, places[0].Bytes, want.Bytes)
		})
	}
}

// TestEdges reads around the ends of a heap, by every door.
func TestEdges(t *testing.T) {
	for name, from := range everyDoor(t) {
		t.Run(name, func(t *testing.T) {
			size := from.Size()
			tail := readAll(t, from, size-100, 100)
			p := bytes.Repeat([]byte{0xaa}, 200)
			n, err := from.ReadAt(p, size-100)
			require.Equal(t, 100, n)
			require.Equal(t, io.EOF, err)
			require.Equal(t, tail, p[:100])
			for _, beyond := range []int64{size, size + 1, 1<<63 - 1} {
				n, err = from.ReadAt(p, beyond)
				require.Zero(t, n)
				require.Equal(t, io.EOF, err)
			}
			n, err = from.ReadAt(p, -1)
			require.Zero(t, n)
			require.Error(t, err)
			require.NotEqual(t, io.EOF, err)
			n, err = from.ReadAt(nil, 5)
			require.Zero(t, n)
			require.NoError(t, err)
			// Between the header and the bins is a page that nobody may touch.
			guard := readAll(t, from, int64(layout.Place(16).Bins-layout.PageBytes), layout.PageBytes)
			require.Equal(t, make([]byte, layout.PageBytes), guard)

			require.NoError(t, from.Close())
			_, err = from.ReadAt(p, 0)
			require.ErrorIs(t, err, os.ErrClosed)
		})
	}
}

// everyDoor opens one idle heap in every way there is into a process: the bytes are the same.
func everyDoor(t testing.TB) map[string]Target {
	c, _ := startOwner(t, orders{Heaps: []heapOrder{orderOf(t, "all doors", "memfd")}})
	p := procOf(c.Process.Pid)
	heaps, err := p.heaps()
	require.NoError(t, err)
	copied, err := p.openMemory(heaps[0])
	require.NoError(t, err)
	require.Equal(t, "process_vm_readv", copied.door())
	return map[string]Target{
		"memfd":            openHeap(t, p.pid, ""),
		"process_vm_readv": &process{door: copied, base: heaps[0].Base},
		"/proc/PID/mem":    &process{door: byProcessMemory(t, p, heaps[0]), base: heaps[0].Base},
	}
}

// byProcessMemory opens the door that is used where process_vm_readv is forbidden.
func byProcessMemory(t testing.TB, p proc, f found) memoryRange {
	m, err := p.openMemory(f)
	require.NoError(t, err)
	m.memory, err = os.Open(p.dir + "/mem")
	require.NoError(t, err)
	require.Equal(t, "/proc/PID/mem", m.door())
	return m
}

func TestDoorsAgree(t *testing.T) {
	doors := everyDoor(t)
	// The range is longer than what is committed of the file.
	size := doors["memfd"].Size()
	require.EqualValues(t, layout.Place(16).End, doors["process_vm_readv"].Size())
	want := readAll(t, doors["memfd"], 0, size)
	require.NotEmpty(t, bytes.Trim(want[layout.Place(16).Data:], "\x00"))
	for name, from := range doors {
		require.True(t, bytes.Equal(want, readAll(t, from, 0, size)), name)
		for _, step := range []int64{4096, 100_000, 1 << 20} { // short reads don't take the way over the list of mappings
			for at := int64(17); at+step <= size; at += 40 * step / 3 {
				require.True(t, bytes.Equal(want[at:at+step], readAll(t, from, at, step)), "%s %d %d", name, at, step)
			}
		}
		require.NoError(t, from.Close())
	}
}

// TestReadingTakesNoMemory sees to it that a look at the holes of a memfd doesn't fill them.
func TestReadingTakesNoMemory(t *testing.T) {
	c, _ := startOwner(t, orders{Heaps: []heapOrder{orderOf(t, "holes", "memfd")}})
	opened := openHeap(t, c.Process.Pid, "")
	pages := func() int64 {
		info, err := opened.(*otherProcess).door.(memoryFile).file.Stat()
		require.NoError(t, err)
		return info.Sys().(*syscall.Stat_t).Blocks
	}
	before := pages()
	require.Less(t, before*512, opened.Size())
	readAll(t, opened, 0, opened.Size())
	require.Equal(t, before, pages())
}

func TestSeveralHeaps(t *testing.T) {
	c, r := startOwner(t, orders{Heaps: []heapOrder{
		orderOf(t, "sessions", "memfd"), orderOf(t, "rows", "anonymous"), orderOf(t, "index", "file"), orderOf(t, "rows", "memfd"),
	}})
	pid := c.Process.Pid
	_, err := OpenProcess(pid, Options{})
	var ambiguous *AmbiguousError
	require.ErrorAs(t, err, &ambiguous)
	require.Len(t, ambiguous.Places, 4)
	require.Contains(t, err.Error(), "sessions  memfd")

	places, err := FindHeaps(pid)
	require.NoError(t, err)
	require.Equal(t, ambiguous.Places, places)
	for i, place := range places {
		if i > 0 {
			require.Less(t, places[i-1].Base, place.Base)
		}
		for _, want := range r.Heaps {
			if want.Base == place.Base {
				requireContent(t, openHeap(t, pid, "#"+strconv.Itoa(i+1)), want)
			}
		}
	}
	requireContent(t, openHeap(t, pid, "sessions"), r.Heaps[0])
	requireContent(t, openHeap(t, pid, "index"), r.Heaps[2])

	_, err = OpenProcess(pid, Options{Heap: "rows"})
	require.ErrorAs(t, err, &ambiguous)
	require.Contains(t, err.Error(), `several heaps "rows"`)
	for _, wrong := range []string{"row", "#0", "#5", "#", "#x"} {
		_, err = OpenProcess(pid, Options{Heap: wrong})
		var none *NoHeapError
		require.ErrorAs(t, err, &none, wrong)
		require.Len(t, none.Places, 4)
	}
}

// TestTouchingHeaps fills anonymous heaps: the last arena of one and the header of another may then be one mapping.
func TestTouchingHeaps(t *testing.T) {
	full := heapOrder{Name: "full", Backing: allocator.BackingAnonymous, Fill: true}
	c, r := startOwner(t, orders{Heaps: []heapOrder{full, full, full}})
	places, err := FindHeaps(c.Process.Pid)
	require.NoError(t, err)
	require.Len(t, places, 3)
	maps, err := readMaps(procOf(c.Process.Pid).dir)
	require.NoError(t, err)
	inside := 0
	for i, place := range places {
		opened := openHeap(t, c.Process.Pid, "#"+strconv.Itoa(i+1))
		for _, want := range r.Heaps {
			if want.Base == place.Base {
				require.EqualValues(t, want.Bytes, opened.Size())
				requireContent(t, opened, want)
			}
		}
		if maps[mappingAt(maps, place.Base)].start != place.Base {
			inside++
		}
	}
	t.Logf("%d of the headers lie inside a mapping", inside)
}

func TestOwnHeap(t *testing.T) {
	for backing := range backings {
		o := orderOf(t, "my own "+backing, backing)
		h, err := allocator.New(allocator.Options{Name: o.Name, Backing: o.Backing, Path: o.Path, ReserveBytes: 16 << 20})
		require.NoError(t, err)
		b, err := h.Alloc(1000)
		require.NoError(t, err)
		copy(b, noise(7, 1000))
		base, _ := h.Range()
		for _, open := range []func() (Target, error){
			func() (Target, error) { return Self(Options{Heap: o.Name}) },
			func() (Target, error) { return OpenProcess(os.Getpid(), Options{Heap: o.Name}) },
		} {
			opened, err := open()
			require.NoError(t, err)
			require.Equal(t, base, opened.Base())
			require.True(t, bytes.Contains(readAll(t, opened, 0, opened.Size()), noise(7, 1000)))
			_, stops := opened.(Stopper)
			require.False(t, stops, "a process can't stop itself")
			require.Equal(t, os.Getpid(), opened.Description().PID)
			require.NoError(t, opened.Close())
		}
		require.NoError(t, h.Free(b))
		require.NoError(t, h.Close())
	}
}

// TestAfterTheEnd looks at what is left when the owner has been killed.
func TestAfterTheEnd(t *testing.T) {
	c, r := startOwner(t, orders{Heaps: []heapOrder{orderOf(t, "memfd", "memfd"), orderOf(t, "anonymous", "anonymous")}})
	pid := c.Process.Pid
	file, copied := openHeap(t, pid, "memfd"), openHeap(t, pid, "anonymous")
	heaps, err := procOf(pid).heaps()
	require.NoError(t, err)
	slow := byProcessMemory(t, procOf(pid), heaps[0])

	require.NoError(t, c.Process.Kill())
	eventually(t, "it is a zombie", func() bool { return everyThread(procOf(pid), "Z") })
	requireEnded := func(err error) {
		t.Helper()
		var missing *NotFoundError
		require.ErrorAs(t, err, &missing)
		require.True(t, missing.Ended, err)
		require.ErrorIs(t, err, fs.ErrNotExist)
	}
	_, err = OpenProcess(pid, Options{}) // not buried yet
	requireEnded(err)
	c.end()

	requireContent(t, file, r.Heaps[0])
	_, err = copied.ReadAt(make([]byte, 100), 0)
	requireEnded(err)
	_, err = slow.ReadAt(make([]byte, 100), 0)
	requireEnded(err)
	_, err = file.(Stopper).Stop(t.Context())
	requireEnded(err)
	_, err = OpenProcess(pid, Options{})
	require.ErrorAs(t, err, new(*NotFoundError))
}

// TestAfterTheHeap: a heap that its process has closed, or lost with the program that it was, is gone, though its file can be read.
func TestAfterTheHeap(t *testing.T) {
	for parting, says := range map[string]string{"close": "closed", "exec": "holding"} {
		for _, stop := range []Stopping{StopAuto, StopNever} {
			c, _ := startOwner(t, orders{Heaps: []heapOrder{orderOf(t, "memfd", "memfd"), orderOf(t, "anonymous", "anonymous")}, Parting: parting})
			var opened []Stopper
			for _, name := range []string{"memfd", "anonymous"} {
				heap, err := OpenProcess(c.Process.Pid, Options{Heap: name, Stop: stop})
				require.NoError(t, err)
				t.Cleanup(func() { heap.Close() })
				opened = append(opened, heap.(Stopper))
				if held, err := heap.(Stopper).Stop(t.Context()); stop == StopAuto {
					require.NoError(t, err)
					held.Resume()
				} else {
					require.ErrorAs(t, err, new(*UnwantedStopError))
				}
			}
			require.NoError(t, c.Process.Signal(syscall.SIGUSR2))
			var said string
			c.hear(t, &said)
			require.Equal(t, says, said)
			for _, heap := range opened {
				_, err := heap.Stop(t.Context())
				var missing *NotFoundError
				require.ErrorAs(t, err, &missing, parting)
				require.True(t, missing.Closed, parting)
				require.ErrorContains(t, err, "has closed the heap, or has become another program")
			}
			c.end()
		}
	}
}

// TestHeldFile finds the heap of a process that is gone with one that inherited its memory file.
func TestHeldFile(t *testing.T) {
	c, r := startOwner(t, orders{Heaps: []heapOrder{orderOf(t, "inherited", "memfd")}})
	opened := openHeap(t, c.Process.Pid, "")
	holder := start(t, "holder", "", func(cmd *exec.Cmd) {
		cmd.ExtraFiles = []*os.File{opened.(*otherProcess).door.(memoryFile).file}
	})
	var ready string
	holder.hear(t, &ready)
	size := opened.Size()
	require.NoError(t, opened.Close())
	c.end()

	places, err := FindHeaps(holder.Process.Pid)
	require.NoError(t, err)
	require.Equal(t, []Place{{Name: "inherited", Bytes: uint64(size), Backing: "memfd"}}, places)
	again := openHeap(t, holder.Process.Pid, "inherited")
	require.Zero(t, again.Base())
	requireContent(t, again, r.Heaps[0])
}

// TestSandboxed looks from a place where process_vm_readv is forbidden.
func TestSandboxed(t *testing.T) {
	c, r := startOwner(t, orders{Heaps: []heapOrder{orderOf(t, "from a sandbox", "anonymous")}})
	sandboxed := start(t, "sandboxed", strconv.Itoa(c.Process.Pid), nil)
	var door string
	var header []byte
	sandboxed.hear(t, &door)
	sandboxed.hear(t, &header)
	require.Equal(t, "/proc/PID/mem", door)
	_, ok := recognise(header, r.Heaps[0].Base)
	require.True(t, ok)
}

// TestIDGivenAgain has targets whose process is gone, while another one has its id.
func TestIDGivenAgain(t *testing.T) {
	gone, _ := startOwner(t, orders{})
	handle, err := unix.PidfdOpen(gone.Process.Pid, 0)
	require.NoError(t, err)
	gone.end()
	c, _ := startOwner(t, orders{Heaps: []heapOrder{orderOf(t, "another", "anonymous")}})
	opened := openHeap(t, c.Process.Pid, "")
	var missing *NotFoundError

	opened.(*otherProcess).started++
	_, err = opened.(Stopper).Stop(t.Context())
	require.ErrorAs(t, err, &missing)
	require.True(t, missing.Ended)

	memory := opened.(*otherProcess).door.(memoryRange).processMemory
	require.NoError(t, unix.Close(memory.handle))
	memory.handle = handle
	_, err = opened.ReadAt(make([]byte, 100), 0)
	require.ErrorAs(t, err, &missing)
	require.True(t, missing.Ended)
}

func TestOpenSame(t *testing.T) {
	path := inTestFolder(t, "file")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	info, err := os.Stat(path)
	require.NoError(t, err)
	file, err := openSame(path, inodeOf(info), os.O_RDONLY)
	require.NoError(t, err)
	require.NoError(t, file.Close())
	_, err = openSame(path, inodeOf(info)+1, os.O_RDONLY)
	require.Error(t, err)
	info, err = os.Stat(os.DevNull)
	require.NoError(t, err)
	_, err = openSame(os.DevNull, inodeOf(info), os.O_RDONLY)
	require.Error(t, err)
}

// TestInaccessiblePart has a page of a mapped memory file that nobody may touch, as guard pages are on older kernels.
func TestInaccessiblePart(t *testing.T) {
	h, err := allocator.New(allocator.Options{Name: "guarded", ReserveBytes: 16 << 20})
	require.NoError(t, err)
	defer h.Close()
	bytesMapped := func() uint64 {
		places, err := FindHeaps(os.Getpid())
		require.NoError(t, err)
		require.Len(t, places, 1)
		return places[0].Bytes
	}
	header := headerOf(t, h)
	before := bytesMapped()
	page := header[layout.HeaderBytes-layout.PageBytes:]
	require.NoError(t, unix.Mprotect(page, unix.PROT_NONE))
	require.Equal(t, before-layout.PageBytes, bytesMapped())
	require.NoError(t, unix.Mprotect(page, unix.PROT_READ|unix.PROT_WRITE))
}

// TestCopyOfHeader has a copy of a header in memory, which is not a heap.
func TestCopyOfHeader(t *testing.T) {
	memory, err := unix.Mmap(-1, 0, 1<<20, unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON)
	require.NoError(t, err)
	defer unix.Munmap(memory)
	view := memory[layout.PageBytes:] // what lies before it is inaccessible, so it is at the start of a mapping
	require.NoError(t, unix.Mprotect(view, unix.PROT_READ|unix.PROT_WRITE))
	copy(view, heapBytes(headerBytes))
	places, err := FindHeaps(os.Getpid())
	require.NoError(t, err)
	require.Empty(t, places)
}

// TestDescriptorGone closes the memory file in the owner: for root the mapping still leads to it, others copy.
func TestDescriptorGone(t *testing.T) {
	h, err := allocator.New(allocator.Options{Name: "no descriptor", ReserveBytes: 16 << 20})
	require.NoError(t, err)
	defer h.Close()
	b, err := h.Alloc(1000)
	require.NoError(t, err)
	defer h.Free(b)
	copy(b, noise(3, 1000))
	p := proc{os.Getpid(), "/proc/self"}
	heaps, err := p.heaps()
	require.NoError(t, err)
	f, err := p.choose(heaps, Options{Heap: "no descriptor"})
	require.NoError(t, err)
	nothing := &descriptors{proc: p, listed: true}
	if file, err := p.openMemoryFile(f, nothing); err == nil {
		start, err := startOf(file)
		require.NoError(t, err)
		_, ok := recognise(start, f.Base)
		require.True(t, ok)
		require.NoError(t, file.Close())
	} else {
		require.NotZero(t, os.Geteuid(), "root may follow map_files")
	}
	f.mappings = nil
	_, err = p.openMemoryFile(f, nothing)
	require.Error(t, err, "nothing leads to it, and yet it was opened")
}

func TestDamagedHeader(t *testing.T) {
	for backing := range backings {
		for _, at := range copies {
			o := orderOf(t, "damaged "+backing+strconv.Itoa(at), backing)
			h, err := allocator.New(allocator.Options{Name: o.Name, Backing: o.Backing, Path: o.Path, ReserveBytes: 16 << 20})
			require.NoError(t, err)
			base, _ := h.Range()
			header := headerOf(t, h)
			clear(header[at : at+100])
			opened, err := Self(Options{Heap: o.Name})
			require.NoError(t, err, "%s, copy at %d", backing, at)
			require.Equal(t, base, opened.Base())
			require.NoError(t, opened.Close())
			require.NoError(t, h.Close())
		}
	}
}

func TestNoSuchProcess(t *testing.T) {
	c, _ := startOwner(t, orders{})
	_, err := OpenProcess(c.Process.Pid, Options{})
	var none *NoHeapError
	require.ErrorAs(t, err, &none)
	require.Empty(t, none.Places)
	c.end()
	around := new(big.Int).Add(new(big.Int).Lsh(big.NewInt(1), 64), big.NewInt(int64(os.Getpid()))) // in 64 bits it is us
	for _, argument := range []string{strconv.Itoa(c.Process.Pid), "0", "1073741823", around.String()} {
		_, err = Open(t.Context(), argument, Options{})
		var missing *NotFoundError
		require.ErrorAs(t, err, &missing, argument)
		require.Empty(t, missing.Path)
	}
	_, err = OpenProcess(-1, Options{})
	require.ErrorAs(t, err, new(*NotFoundError))
	_, err = FindHeaps(c.Process.Pid)
	require.ErrorAs(t, err, new(*NotFoundError))
}

// TestPermission lets another user look at this process.
func TestPermission(t *testing.T) {
	if os.Geteuid() != 0 {
		require.Empty(t, os.Getenv("CI"), "only root can start a process of another user")
		t.Skip("only root can start a process of another user: run it as root")
	}
	h, err := allocator.New(allocator.Options{Name: "secret", ReserveBytes: 16 << 20})
	require.NoError(t, err)
	defer h.Close()
	const nobody = 65534
	visitor := start(t, "visitor", strconv.Itoa(os.Getpid()), func(cmd *exec.Cmd) {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		cmd.Dir = "/"
	})
	var refused bool
	var text string
	visitor.hear(t, &refused)
	visitor.hear(t, &text)
	require.True(t, refused, text)
	require.Contains(t, text, "cannot look into process "+strconv.Itoa(os.Getpid())+" (target.test): permission denied (it belongs to user root). Run as that user or root; in a container add CAP_SYS_PTRACE.")
}

func TestConcurrentReads(t *testing.T) {
	for name, from := range everyDoor(t) {
		t.Run(name, func(t *testing.T) {
			want := readAll(t, from, 0, from.Size())
			var readers sync.WaitGroup
			for i := range 4 {
				readers.Go(func() {
					p := make([]byte, 70_000)
					for at := int64(i) * 1000; at < from.Size()-int64(len(p)); at += 1 << 18 {
						if n, err := from.ReadAt(p, at); n != len(p) || err != nil || !bytes.Equal(p, want[at:at+int64(n)]) {
							t.Error(n, err)
						}
					}
				})
			}
			readers.Wait()
			// Closing under a reader: it reads or is told so, and never reads another descriptor.
			readers.Go(func() {
				p := make([]byte, 70_000)
				for {
					n, err := from.ReadAt(p, 0)
					if err != nil {
						if !errors.Is(err, os.ErrClosed) {
							t.Error(err)
						}
						return
					}
					if !bytes.Equal(p[:n], want[:n]) {
						t.Error("other bytes")
						return
					}
				}
			})
			from.Close()
			readers.Wait()
		})
	}
}

func TestParseMapping(t *testing.T) {
	for line, want := range map[string]mapping{
		"7effc8a00000-7effc8a15000 rw-s 00016000 00:01 1664                       /memfd:glassheap:one two (deleted)": {
			start: 0x7effc8a00000, end: 0x7effc8a15000, offset: 0x16000, device: 1, inode: 1664, path: "/memfd:glassheap:one two (deleted)", readable: true, writable: true, shared: true,
		},
		"00400000-004eb000 r-xp 00000000 fe:03 9978067                            /tmp/a\\012b": {
			start: 0x400000, end: 0x4eb000, device: 0xfe03, inode: 9978067, path: "/tmp/a\nb", readable: true,
		},
		"7effc8a15000-7effc8a16000 ---p 00000000 00:00 0 ": {start: 0x7effc8a15000, end: 0x7effc8a16000},
		"ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]": {
			start: 0xffffffffff600000, end: 0xffffffffff601000, path: "[vsyscall]",
		},
	} {
		got, ok := parseMapping([]byte(line), map[string]string{})
		require.True(t, ok, line)
		require.Equal(t, want, got)
	}
	for _, line := range []string{"", "x", "1-2", "2-1 rw-p 0 0:0 0 ", "1-2 rw 0 0:0 0 ", "1-2 rw-p x 0:0 0 ", "1-2 rw-p 0 0:0 y ", "1-11111111111111111 rw-p 0 0:0 0"} {
		_, ok := parseMapping([]byte(line), map[string]string{})
		require.False(t, ok, line)
	}
}

// TestStat reads of a thread whose name looks like the fields that follow it.
func TestStat(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	self := proc{os.Getpid(), "/proc/self"}.thread(unix.Gettid())
	before, err := self.stat()
	require.NoError(t, err)
	name, err := os.ReadFile(self.dir + "/comm")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(self.dir+"/comm", []byte("x) Z 1 (y"), 0))
	named, err := self.stat()
	require.NoError(t, err)
	require.Equal(t, "R", named.state)
	require.Equal(t, before.started, named.started)
	require.NoError(t, os.WriteFile(self.dir+"/comm", bytes.TrimSpace(name), 0))
}

// TestBase lets a process that looks at a memfd map it a second time: the owner's mapping gives the base.
func TestBase(t *testing.T) {
	h, err := allocator.New(allocator.Options{Name: "mapped twice", ReserveBytes: 16 << 20})
	require.NoError(t, err)
	defer h.Close()
	base, _ := h.Range()
	opened, err := Self(Options{Heap: "mapped twice"})
	require.NoError(t, err)
	defer opened.Close()
	fd := opened.(own).door.(memoryFile).file.Fd()
	const low = 0x200000000
	view, _, errno := syscall.Syscall6(syscall.SYS_MMAP, low, 1<<20, syscall.PROT_READ, syscall.MAP_SHARED, fd, 0)
	require.Zero(t, errno)
	defer syscall.Syscall(syscall.SYS_MUNMAP, view, 1<<20, 0)
	require.Less(t, uint64(view), base, "the view must come first in the list of mappings")
	places, err := FindHeaps(os.Getpid())
	require.NoError(t, err)
	for _, p := range places {
		if p.Name == "mapped twice" {
			require.Equal(t, base, p.Base)
		}
	}
}

// TestOtherFilesAreLeftAlone maps a file that is no heap, and one that is a heap and has been deleted.
func TestOtherFilesAreLeftAlone(t *testing.T) {
	path := inTestFolder(t, "no heap")
	require.NoError(t, os.WriteFile(path, make([]byte, 1<<20), 0o600))
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	require.NoError(t, err)
	defer file.Close()
	view, err := syscall.Mmap(int(file.Fd()), 0, 1<<20, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	require.NoError(t, err)
	defer syscall.Munmap(view)

	o := orderOf(t, "deleted", "file")
	h, err := allocator.New(allocator.Options{Name: o.Name, Backing: o.Backing, Path: o.Path, ReserveBytes: 16 << 20})
	require.NoError(t, err)
	defer h.Close()
	require.NoError(t, os.Remove(o.Path))
	places, err := FindHeaps(os.Getpid())
	require.NoError(t, err)
	require.Len(t, places, 1)
	require.Equal(t, "deleted", places[0].Name)
	opened, err := Self(Options{})
	require.NoError(t, err)
	require.Equal(t, "heap file", opened.Description().Door)
	require.NoError(t, opened.Close())
}
