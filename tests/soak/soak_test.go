//go:build soak

package soak

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/target"
)

var operations = flag.Uint64("operations", 20_000_000, "how many allocations and frees there are in each mode")

const (
	victimVariable = "GLASSHEAP_TEST_SOAK"
	goroutines     = 4
)

// TestMain is the process that uses a heap, when it is told to be.
func TestMain(m *testing.M) {
	if count := os.Getenv(victimVariable); count != "" {
		n, err := strconv.ParseUint(count, 10, 64)
		if err == nil {
			err = useHeap(n)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// TestNoFalseAlarm in any mode, whenever one looks.
func TestNoFalseAlarm(t *testing.T) {
	for _, mode := range []string{"mode=plain", "mode=sealed", "mode=sealed,scavenge=1ms", "mode=sealed,guard=1/1000", "mode=sealed,profile=1/100", "mode=audit", "mode=audit,quarantine=64KiB,guard=1/100"} {
		t.Run(mode, func(t *testing.T) {
			victim := exec.Command(os.Args[0])
			victim.Env = append(os.Environ(), victimVariable+"="+strconv.FormatUint(*operations, 10), allocator.Environment+"="+mode)
			var complaint strings.Builder
			victim.Stderr = &complaint
			out, err := victim.StdoutPipe()
			require.NoError(t, err)
			started := time.Now()
			require.NoError(t, victim.Start())
			said := bufio.NewScanner(out)
			require.True(t, said.Scan(), "%s", complaint.String())
			ended := make(chan error, 1)
			go func() {
				for said.Scan() {
				}
				ended <- victim.Wait()
			}()
			checks, longest := 0, time.Duration(0)
			for {
				select {
				case err := <-ended:
					require.NoError(t, err, "%s", complaint.String())
					t.Logf("%d operations in %v, %d checks, the longest stop %v", *operations, time.Since(started).Round(time.Millisecond), checks, longest)
					require.NotZero(t, checks)
					return
				case <-time.After(time.Duration(rand.IntN(40)) * time.Millisecond): // a random moment
				}
				stopped, err := check(t, victim.Process.Pid)
				if err != nil {
					continue // it has just ended: the next round says how
				}
				checks++
				longest = max(longest, stopped)
			}
		})
	}
}

func check(t *testing.T, pid int) (stopped time.Duration, err error) {
	heap, err := target.OpenProcess(pid, target.Options{})
	if err != nil {
		return 0, err
	}
	defer heap.Close()
	r, err := inspect.Check(context.Background(), heap, inspect.CheckOptions{})
	if err != nil {
		return 0, err
	}
	for _, f := range r.Findings {
		t.Errorf("a false alarm: %s %s.%s: %s (found %s, expected %s: %s)", f.Code, f.Struct, f.Field, f.Summary, f.Found, f.Expected, f.Why)
	}
	return r.Stopped, nil
}

// useHeap makes n operations on a heap from several goroutines, verifying what the blocks hold.
func useHeap(n uint64) error {
	h, err := allocator.New(allocator.Options{Name: "soak", ReserveBytes: 2 << 30})
	if err != nil {
		return err
	}
	fmt.Println("ready")
	var done atomic.Uint64
	failures := make(chan error, goroutines)
	handed := make(chan []byte, 1000)
	var all sync.WaitGroup
	for g := range goroutines {
		all.Go(func() {
			if err := use(h, rand.New(rand.NewPCG(uint64(g), 7)), &done, n, handed); err != nil {
				failures <- err
			}
		})
	}
	all.Wait()
	close(handed)
	for b := range handed {
		if err := h.Free(b); err != nil {
			return err
		}
	}
	select {
	case err := <-failures:
		return err
	default:
		return h.Close()
	}
}

func use(h *allocator.Heap, r *rand.Rand, done *atomic.Uint64, n uint64, handed chan []byte) error {
	live := make([][]byte, 0, 4000)
	const batch = 1000
	for done.Add(batch) <= n {
		for range batch / 2 {
			size := 1 + int(r.ExpFloat64()*120)
			if r.IntN(2000) == 0 {
				size = 20_000 + r.IntN(400_000)
			}
			b, err := h.Alloc(size)
			if err != nil {
				return err
			}
			b[0], b[len(b)-1] = byte(size), byte(size)
			live = append(live, b)
			if len(live) < cap(live) && r.IntN(8) != 0 {
				continue
			}
			for len(live) > 0 && r.IntN(12) != 0 {
				i := r.IntN(len(live))
				b := live[i]
				live[i] = live[len(live)-1]
				live = live[:len(live)-1]
				if b[0] != byte(len(b)) || b[len(b)-1] != byte(len(b)) {
					return fmt.Errorf("a block of %d bytes holds what somebody else wrote", len(b))
				}
				if r.IntN(50) == 0 {
					select {
					case handed <- b: // for another goroutine
						continue
					case other := <-handed:
						if err := h.Free(other); err != nil {
							return err
						}
					default:
					}
				}
				if err := h.Free(b); err != nil {
					return err
				}
			}
		}
	}
	for _, b := range live {
		if err := h.Free(b); err != nil {
			return err
		}
	}
	return nil
}
