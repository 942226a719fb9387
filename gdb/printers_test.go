package gdb

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/internal/debugging"
)

func TestStructsPrintAsLinesAndUnfoldOneLevel(t *testing.T) {
	t.Parallel()
	needGDB(t)
	transcript := play(t, `
set print pretty on
tbreak github.com/glassheap/glassheap/allocator.OnSlabReady
run
print *slab
print slab
print slab.Next
tbreak main.ready
continue
print *h
print h
glassheap whatis b`, victim(t))
	golden(t, "printers", debugging.NormalGDB(transcript))
}

// TestBlocksAreTheCheckers holds what the printers say of every block against what the checker says: in healthy slabs, with
// seals and without, and after an overflow.
func TestBlocksAreTheCheckers(t *testing.T) {
	t.Parallel()
	needGDB(t)
	script := filepath.Join(t.TempDir(), "blocks.py")
	require.NoError(t, os.WriteFile(script, []byte(`
import json, gdb
from glassheap_gdb import blocks, finding
chosen = finding.choose()
who = lambda o: o and {"goroutine": o.goroutine, "sequence": o.sequence, "addresses": [hex(a) for a in o.addresses]}
print(json.dumps([[{"address": hex(b.address), "place": b.place, "requested": b.requested, "seal": b.seal, "index": b.index, "size": b.size, "bin": b.bin,
                    "allocated": who(b.allocated), "freed": who(b.freed)}
                   for b in blocks.of_slab(chosen, page, address, slab)] for page, address, slab in chosen.slabs()]))
`), 0o600))
	breakSeal := filepath.Join(t.TempDir(), "break.py")
	require.NoError(t, os.WriteFile(breakSeal, []byte(`
import gdb
from glassheap_gdb import blocks, finding
chosen, memory = finding.choose(), gdb.selected_inferior()
for place in ("live", "quarantined"):
    b = next(b for page, address, slab in chosen.slabs() for b in blocks.of_slab(chosen, page, address, slab) if b.place == place and b.allocated and b.seal == "intact")
    for at in (b.address + b.size, b.address + b.size + 2):  # the state, and the hash
        memory.write_memory(at, bytes([memory.read_memory(at, 1)[0][0] ^ 1]))
`), 0o600))
	for _, kind := range []string{"", "plain", "overflow", "notes", "anonymous", "audit"} {
		const each = "python import json; [gdb.execute('cli blocks --json %d' % s['slab']) for s in json.loads(gdb.execute('glassheap slabs --json', False, True))['slabs']]"
		first := ""
		if kind == "audit" {
			first = "source " + breakSeal + "\n"
		}
		transcript := play(t, "break main.ready\nrun "+kind+"\ncontinue\n"+first+"source "+script+"\n"+each, victim(t))
		damages := kind == "overflow" || kind == "audit"
		if !damages { // it ends after the second stop
			transcript = play(t, "break main.ready\nrun "+kind+"\nsource "+script+"\n"+each, victim(t))
		}
		type operation struct {
			Goroutine, Sequence int
			Addresses           []string
		}
		type block struct {
			Allocated, Freed            *operation
			Address, Place, Seal        string
			Requested, Index, Size, Bin int
		}
		var found [][]block
		require.NoError(t, json.Unmarshal([]byte(answer(t, transcript, "source "+script)), &found))
		require.GreaterOrEqual(t, len(found), 2)
		outside := json.NewDecoder(strings.NewReader(answer(t, transcript, each)))
		damaged := 0
		for _, blocks := range found {
			var want struct{ Blocks []block }
			require.NoError(t, outside.Decode(&want))
			require.Equal(t, want.Blocks, blocks, kind)
			for _, b := range blocks {
				if b.Seal == "broken" || b.Seal == "slack" || b.Seal == "poison" {
					damaged++
				}
			}
		}
		require.Equal(t, map[string]int{"overflow": 1, "audit": 3}[kind], damaged, kind)
	}
}

// TestMarksAreTheCheckers does the same where blocks are aligned, and where the mark before one is written over.
func TestMarksAreTheCheckers(t *testing.T) {
	t.Parallel()
	needGDB(t)
	script := filepath.Join(t.TempDir(), "marks.py")
	require.NoError(t, os.WriteFile(script, []byte(`
import json, gdb
from glassheap_gdb import blocks, finding
def both():
    """What the printers and the checker say of each aligned block."""
    chosen = finding.choose()
    theirs = {b["address"]: b for s in json.loads(gdb.execute("glassheap slabs --json", False, True))["slabs"]
              for b in json.loads(gdb.execute("cli blocks --json %d" % s["slab"], False, True))["blocks"]}
    ours = [b for page, address, slab in chosen.slabs() for b in blocks.of_slab(chosen, page, address, slab)]
    return [((b.seal, b.requested), (theirs[hex(b.address)]["seal"], theirs[hex(b.address)]["requested"]), hex(b.address))
            for b in ours if hex(b.address) in marked or theirs[hex(b.address)].get("aligned")], theirs
marked = {}
whole, theirs = both()
marked = {address: int(address, 16) + theirs[address]["aligned"] - 1 for _, _, address in whole}
for address in marked.values():
    inferior = gdb.selected_inferior()
    inferior.write_memory(address, bytes([255 - inferior.read_memory(address, 1)[0][0]]))
print(json.dumps({"whole": whole, "damaged": both()[0]}))
`), 0o600))
	transcript := play(t, "break main.stop\nrun shop\nsource "+script, debugging.Program(t, "../dlvscripts/testdata/heaps"))
	var found map[string][][3]any
	require.NoError(t, json.Unmarshal([]byte(answer(t, transcript, "source "+script)), &found))
	require.NotEmpty(t, found["whole"])
	require.Len(t, found["damaged"], len(found["whole"]))
	for _, b := range found["whole"] {
		require.Equal(t, []any{"intact", 100.0}, b[0])
		require.Equal(t, b[1], b[0])
	}
	for _, b := range found["damaged"] {
		seal := b[0].([]any)[0]
		require.Equal(t, "mark", seal)
		require.Equal(t, b[1].([]any)[0], seal)
	}
}

// TestAFrontEndUnfoldsTheHeapDownToItsBlocks speaks GDB/MI, as VS Code does.
func TestAFrontEndUnfoldsTheHeapDownToItsBlocks(t *testing.T) {
	mi := startMI(t, victim(t))
	mi.do("-enable-pretty-printing")
	mi.do("-break-insert main.ready")
	mi.do("-exec-run")
	mi.until(`^\*stopped,reason="breakpoint-hit"`)
	mi.do("-var-create heap * h")
	level := mi.do("-var-list-children --all-values heap")
	require.Regexp(t, `exp="is",numchild="0",value="0x[0-9a-f]+ heap \\"sessions\\", sealed`, level)
	require.Contains(t, level, `exp="arena0"`)
	arena := mi.do("-var-list-children --all-values heap.arena0")
	require.Contains(t, arena, `exp="span`)
	require.Regexp(t, `exp="ID",numchild="0",value="0"`, arena)
	require.Equal(t, arena, mi.do("-var-list-children --all-values heap.arena0"), "asked twice, the same")
	bin := regexp.MustCompile(`exp="(bin\d+)"`).FindStringSubmatch(level)[1]
	slab := regexp.MustCompile(`exp="(slab\d+)"`).FindStringSubmatch(mi.do("-var-list-children --all-values heap." + bin))[1]
	blocks := mi.do(fmt.Sprintf("-var-list-children --all-values heap.%s.%s", bin, slab))
	require.Regexp(t, `exp="State",numchild="0",value="active"`, blocks)
	require.Regexp(t, `exp="block0",numchild="0",value="0x[0-9a-f]+  cached, 24 bytes, seal intact"`, blocks)
	require.Regexp(t, `exp="block1",numchild="0",value="0x[0-9a-f]+  live, 21 of 24 bytes, seal intact"`, blocks)
	require.Regexp(t, `exp="virgin",numchild="0",value="\d+ blocks from 0x[0-9a-f]+ on, never handed out"`, blocks)
	require.Contains(t, mi.do(`-interpreter-exec console "glassheap check"`), "healthy")
	header := mi.do("-var-list-children --all-values heap.header")
	require.Contains(t, header, `exp="PagesLock",numchild="0",value="free"`)
	require.Contains(t, mi.do("-var-list-children --all-values heap.header.Identity"), `exp="Name",numchild="0",value="\"sessions\""`)
	mi.do("-exec-continue")
}

// mi is a GDB that is spoken to in its machine interface.
type mi struct {
	t   *testing.T
	in  io.Writer
	out chan string
}

func startMI(t *testing.T, program_ string) *mi {
	gdb := needGDB(t)
	c := exec.Command(gdb.Path, "-nx", "-q", "-i=mi", "-iex", "set auto-load python-scripts off", "-x", gdb.Scripts, program_)
	c.Env = append(os.Environ(), gdb.Environment...)
	in, err := c.StdinPipe()
	require.NoError(t, err)
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	m := &mi{t: t, in: in, out: make(chan string, 1000)}
	go func() {
		lines := bufio.NewScanner(out)
		lines.Buffer(nil, 16<<20)
		for lines.Scan() {
			m.out <- lines.Text()
		}
		close(m.out)
	}()
	t.Cleanup(func() {
		fmt.Fprintln(in, "-gdb-exit")
		killed := time.AfterFunc(20*time.Second, func() { _ = c.Process.Kill() })
		for range m.out {
		}
		_ = c.Wait()
		require.True(t, killed.Stop(), "gdb did not end")
	})
	return m
}

// do sends a command and returns all that comes back up to its result, which must not be an error.
func (m *mi) do(command string) string {
	m.t.Helper()
	_, err := fmt.Fprintln(m.in, command)
	require.NoError(m.t, err)
	text := m.until(`^\^(done|running|error)`)
	require.NotContains(m.t, text, "^error", command)
	return text
}

// until reads lines up to one that matches.
func (m *mi) until(pattern string) string {
	m.t.Helper()
	end, text := regexp.MustCompile(pattern), ""
	for {
		select {
		case line, open := <-m.out:
			require.True(m.t, open, "gdb has ended; before: %s", text)
			text += line + "\n"
			require.NotContains(m.t, line, "Traceback")
			if end.MatchString(line) {
				return text
			}
		case <-time.After(time.Minute):
			m.t.Fatalf("no line like %s came; before: %s", pattern, text)
		}
	}
}
