// Command footprint measures how much memory each allocator takes for what is live in it: at the peak of the log-normal mix, after
// most of it was freed at random, and after a pause. Each peer runs in a process of its own.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/glassheap/glassheap/tests/bench/peers"
)

const freedPart = 0.9

// The aims: bytes in memory for each live byte of a sealed heap, and that as a part of malloc's.
const (
	aimSealed   = 1.20
	aimOfMalloc = 1.0
)

func main() {
	blocks := flag.Int("blocks", 1_000_000, "live blocks at the peak, 106 B in the mean")
	idle := flag.Duration("idle", 3*time.Second, "the pause before the last look")
	only := flag.String("run", "", "only the peers that this `regexp` matches")
	child := flag.String("peer", "", "measure this one in this process, and print JSON (footprint starts itself so)")
	flag.Parse()
	err := errors.New("-blocks must be at least 10")
	switch {
	case *blocks < 10:
	case *child != "":
		err = measure(*child, *blocks, *idle)
	default:
		err = run(*only, *blocks, *idle)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "footprint:", err)
		os.Exit(1)
	}
}

// look is what one process found.
type look struct {
	PeakBytes, PeakLive   int // in memory, of that asked for
	FreedBytes, IdleBytes int
	LiveAfterFree         int
}

func run(only string, blocks int, idle time.Duration) error {
	wanted, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	fmt.Printf("%d blocks of the log-normal mix, %s, %s, %s\n", blocks, runtime.Version(), runtime.GOARCH, time.Now().Format(time.DateOnly))
	fmt.Printf("bytes in memory for each live byte\n\n")
	fmt.Printf("  %-16s %10s %12s %16s %16s\n", "peer", "live MiB", "at the peak", "90 % freed", fmt.Sprintf("%v later", idle))
	peaks := map[string]float64{}
	for _, p := range peers.All() {
		if !wanted.MatchString(p.Name) {
			continue
		}
		l, err := start(p.Name, blocks, idle)
		if err != nil {
			return fmt.Errorf("%s: %w", p.Name, err)
		}
		peaks[p.Name] = float64(l.PeakBytes) / float64(l.PeakLive)
		fmt.Printf("  %-16s %10.1f %12.2f %16.2f %16.2f\n", p.Name, float64(l.PeakLive)/(1<<20), peaks[p.Name],
			float64(l.FreedBytes)/float64(l.LiveAfterFree), float64(l.IdleBytes)/float64(l.LiveAfterFree))
	}
	for _, a := range peers.Absent() {
		fmt.Printf("  %-16s absent: %s; %s\n", a.Name, a.Why, a.From)
	}
	fmt.Printf("\naims\n\n")
	sealed, measured := peaks[peers.Sealed]
	verdict(measured, "sealed, bytes for each live byte at the peak", aimSealed, sealed)
	malloc, also := peaks[peers.Malloc]
	verdict(measured && also, "sealed as a part of malloc", aimOfMalloc, sealed/malloc)
	return nil
}

func verdict(measured bool, what string, atMost, found float64) {
	switch {
	case !measured:
		fmt.Printf("  %-45s at most %.2f  not measured\n", what, atMost)
	case found <= atMost:
		fmt.Printf("  %-45s at most %.2f  %.2f  met\n", what, atMost, found)
	default:
		fmt.Printf("  %-45s at most %.2f  %.2f  missed\n", what, atMost, found)
	}
}

// start measures a peer in a process of its own.
func start(peer string, blocks int, idle time.Duration) (l look, err error) {
	self, err := os.Executable()
	if err != nil {
		return l, err
	}
	c := exec.Command(self, "-peer", peer, "-blocks", strconv.Itoa(blocks), "-idle", idle.String())
	c.Stderr = os.Stderr
	out, err := c.Output()
	if err != nil {
		return l, err
	}
	return l, json.Unmarshal(out, &l)
}

// measure looks at this process. Nothing is forced on the way: no collection, no giving back.
func measure(name string, blocks int, idle time.Duration) error {
	for _, p := range peers.All() {
		if p.Name != name {
			continue
		}
		population, err := p.Populate(blocks)
		if err != nil {
			return err
		}
		debug.FreeOSMemory()
		before, err := resident()
		if err != nil {
			return err
		}
		var l look
		looks := func(into *int) {
			if now, e := resident(); e != nil {
				err = e
			} else {
				*into = now - before
			}
		}
		population.Grow()
		looks(&l.PeakBytes)
		l.PeakLive = population.LiveBytes()
		population.Thin(freedPart)
		looks(&l.FreedBytes)
		l.LiveAfterFree = population.LiveBytes()
		time.Sleep(idle)
		looks(&l.IdleBytes)
		if err = errors.Join(err, population.Close()); err != nil {
			return err
		}
		return json.NewEncoder(os.Stdout).Encode(l)
	}
	return fmt.Errorf("there is no peer %q here", name)
}

// resident is the memory of this process, that of a memory file included.
func resident() (int, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, fmt.Errorf("how much memory a process has is read in Linux's /proc: %w", err)
	}
	for line := range strings.Lines(string(status)) {
		if text, found := strings.CutPrefix(line, "VmRSS:"); found {
			kB, err := strconv.Atoi(strings.Fields(text)[0])
			return kB << 10, err
		}
	}
	return 0, errors.New("/proc/self/status has no VmRSS")
}
