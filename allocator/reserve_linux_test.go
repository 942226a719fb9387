package allocator

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// childLimit is how much more address space than it has a child of a test may have, in MiB; unset in the test itself.
const childLimit = "GLASSHEAP_TEST_ADDRESS_SPACE"

// limitedChild runs a test again, in a process that may have only so much more address space, and returns what it prints.
func limitedChild(t *testing.T, mebibytes int) string {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	child.Env = append(os.Environ(), childLimit+"="+strconv.Itoa(mebibytes))
	out, err := child.CombinedOutput()
	require.NoError(t, err, string(out))
	return string(out)
}

// limitAddressSpace lets this process have only so much more address space than it has.
func limitAddressSpace(t *testing.T) {
	t.Helper()
	mebibytes, err := strconv.ParseUint(os.Getenv(childLimit), 10, 64)
	require.NoError(t, err)
	statm, err := os.ReadFile("/proc/self/statm")
	require.NoError(t, err)
	var pages uint64
	_, err = fmt.Sscan(string(statm), &pages)
	require.NoError(t, err)
	limit := pages*uint64(os.Getpagesize()) + mebibytes<<20
	require.NoError(t, unix.Setrlimit(unix.RLIMIT_AS, &unix.Rlimit{Cur: limit, Max: limit}))
}

// TestNewSettlesForASmallerReserve where the system refuses the one that was asked for.
func TestNewSettlesForASmallerReserve(t *testing.T) {
	if os.Getenv(childLimit) == "" {
		require.Contains(t, limitedChild(t, 2<<10), "ok: 64 GiB became")
		return
	}
	limitAddressSpace(t)
	h, err := New(Options{})
	require.NoError(t, err)
	s := h.Stats()
	require.EqualValues(t, 64<<30, s.ReserveBytes+s.ReserveShortage)
	require.GreaterOrEqual(t, s.ReserveBytes, uint64(256<<20))
	require.LessOrEqual(t, s.ReserveBytes, uint64(1<<30))
	blocks := drain(t, h, 200<<20)
	require.NotEmpty(t, blocks)
	_, err = h.Malloc(200 << 20)
	require.ErrorContains(t, err, fmt.Sprintf("(the system had refused %d MiB of it: see ulimit -v)", s.ReserveShortage>>20))
	fmt.Printf("ok: 64 GiB became %d MiB\n", s.ReserveBytes>>20)
}

// TestNewFailsWithoutAddressSpace, and says what to look at.
func TestNewFailsWithoutAddressSpace(t *testing.T) {
	if os.Getenv(childLimit) == "" {
		require.Contains(t, limitedChild(t, 60), "ok: refused")
		return
	}
	limitAddressSpace(t)
	_, err := New(Options{Name: "cramped"})
	require.ErrorIs(t, err, unix.ENOMEM)
	require.ErrorContains(t, err, `heap "cramped": the system refuses to reserve even 16 MiB of address space (ulimit -v?)`)
	fmt.Println("ok: refused")
}
