package main

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/glassheaptest"
)

// TestMain sets how deep the tests go when nobody says so.
func TestMain(m *testing.M) {
	for name, value := range map[string]string{"rapid.checks": "40", "rapid.steps": "40", "rapid.nofailfile": "true"} {
		if err := flag.Set(name, value); err != nil {
			panic(err)
		}
	}
	flag.Parse()
	os.Exit(m.Run())
}

// small has the store flush and merge after a few writes.
var small = options{memtableBytes: 300}

// read is all that a snapshot has.
func read(t require.TestingT, s snapshot, from, to string) map[string]string {
	all := map[string]string{}
	last := ""
	require.NoError(t, s.walk([]byte(from), []byte(to), func(r record) error {
		require.True(t, len(all) == 0 || last < string(r.key), "in order")
		last = string(r.key)
		all[last] = string(r.value)
		return nil
	}))
	return all
}

// tested is a store and the map that has the same.
type tested struct {
	heap  *allocator.Heap
	path  string
	store *store
	model map[string]string
	held  []held
}

// held is what somebody reads slowly.
type held struct {
	snapshot
	model map[string]string
}

func (s *tested) open(t *rapid.T) {
	o := small
	o.apart = rapid.Bool().Draw(t, "apart")
	var err error
	s.store, err = openStore(s.heap, s.path, o)
	require.NoError(t, err)
}

// close lets everybody go on reading, and ends.
func (s *tested) close(t *rapid.T) {
	for _, h := range s.held {
		require.Equal(t, h.model, read(t, h.snapshot, "", ""))
		require.NoError(t, h.release())
	}
	s.held = nil
	require.NoError(t, s.store.close())
	require.Zero(t, s.heap.Stats().LiveBlocks)
}

var (
	someKey = rapid.Custom(func(t *rapid.T) string {
		return fmt.Sprintf("%0*d", rapid.IntRange(1, 3).Draw(t, "width"), rapid.IntRange(0, 12).Draw(t, "key"))
	})
	someValue = rapid.StringN(0, 100, -1)
)

// TestTheStoreIsAMap that outlives its program, whatever was half done.
func TestTheStoreIsAMap(t *testing.T) {
	heap := glassheaptest.New(t)
	rapid.Check(t, func(t *rapid.T) {
		path, err := os.MkdirTemp("", "store")
		require.NoError(t, err)
		defer os.RemoveAll(path)
		s := &tested{heap: heap, path: path, model: map[string]string{}}
		s.open(t)
		defer func() { s.close(t) }()
		t.Repeat(map[string]func(*rapid.T){
			"set": func(t *rapid.T) {
				key, value := someKey.Draw(t, "key"), someValue.Draw(t, "value")
				require.NoError(t, s.store.set(record{key: []byte(key), value: []byte(value)}))
				s.model[key] = value
			},
			"remove": func(t *rapid.T) {
				key := someKey.Draw(t, "key")
				_, want := s.model[key]
				ok, err := s.store.remove([]byte(key))
				require.NoError(t, err)
				require.Equal(t, want, ok)
				delete(s.model, key)
			},
			"get": func(t *rapid.T) {
				key := someKey.Draw(t, "key")
				want, wanted := s.model[key]
				now := s.store.snapshot()
				f, ok, err := now.get([]byte(key))
				require.NoError(t, err)
				require.Equal(t, wanted, ok)
				if ok {
					require.Equal(t, want, string(f.value))
					require.NoError(t, f.free())
				}
				require.NoError(t, now.release())
			},
			"range": func(t *rapid.T) {
				from, to := someKey.Draw(t, "from"), someKey.Draw(t, "to")
				want := maps.Clone(s.model)
				maps.DeleteFunc(want, func(key, _ string) bool { return key < from || key >= to })
				now := s.store.snapshot()
				require.Equal(t, want, read(t, now, from, to))
				require.NoError(t, now.release())
			},
			"hold": func(t *rapid.T) {
				if len(s.held) < 5 {
					s.held = append(s.held, held{s.store.snapshot(), maps.Clone(s.model)})
				}
			},
			"let go": func(t *rapid.T) {
				if len(s.held) > 0 {
					i := rapid.IntRange(0, len(s.held)-1).Draw(t, "which")
					require.Equal(t, s.held[i].model, read(t, s.held[i].snapshot, "", ""))
					require.NoError(t, s.held[i].release())
					s.held = slices.Delete(s.held, i, i+1)
				}
			},
			"save": func(t *rapid.T) { require.NoError(t, s.store.save()) },
			"reopen": func(t *rapid.T) {
				s.close(t)
				s.open(t)
			},
			"reopen after a death": func(t *rapid.T) {
				s.close(t)
				s.die(t)
				s.open(t)
			},
		})
		now := s.store.snapshot()
		require.Equal(t, s.model, read(t, now, "", ""))
		require.NoError(t, now.release())
	})
}

// TestAFlushThatFails is told to who waits for it, and is tried again. Nothing is lost meanwhile.
func TestAFlushThatFails(t *testing.T) {
	s, err := openStore(glassheaptest.New(t), t.TempDir(), options{memtableBytes: 1000})
	require.NoError(t, err)
	obstacle := s.path(segmentName(1, 1) + unfinished)
	require.NoError(t, os.Mkdir(obstacle, 0o700))
	written := 0
	for err == nil {
		if err = s.set(record{key: fmt.Append(nil, written), value: make([]byte, 500)}); err == nil {
			written++
		}
	}
	require.ErrorContains(t, err, obstacle)
	require.ErrorContains(t, s.save(), obstacle)
	require.NoError(t, os.Remove(obstacle))
	if err := s.save(); err != nil { // it was tried before that
		require.ErrorContains(t, err, obstacle)
		require.NoError(t, s.save())
	}
	now := s.snapshot()
	require.Zero(t, now.memtables[0].bytes)
	require.Len(t, read(t, now, "", ""), written)
	require.NoError(t, now.release())
	require.NoError(t, s.close())
}

// die leaves what a death at some moment may leave behind.
func (s *tested) die(t *rapid.T) {
	logs, err := filepath.Glob(filepath.Join(s.path, "*.log"))
	require.NoError(t, err)
	last := logs[len(logs)-1]
	if rapid.Bool().Draw(t, "in the midst of a write") {
		r := record{key: []byte(someKey.Draw(t, "key")), value: []byte(someValue.Draw(t, "value"))}
		text := encoded(r)
		file, err := os.OpenFile(last, os.O_WRONLY|os.O_APPEND, 0)
		require.NoError(t, err)
		_, err = file.Write(text[:rapid.IntRange(1, len(text)-1).Draw(t, "written")])
		require.NoError(t, err)
		require.NoError(t, file.Close())
	}
	if rapid.Bool().Draw(t, "in the midst of a flush") {
		require.NoError(t, os.WriteFile(filepath.Join(s.path, segmentName(7, 7)+unfinished), []byte("half"), 0o600))
	}
	segments, err := filepath.Glob(filepath.Join(s.path, "*.segment"))
	require.NoError(t, err)
	if len(segments) > 0 && rapid.Bool().Draw(t, "before the log of a segment was removed") {
		var low, high uint64
		_, err := fmt.Sscanf(filepath.Base(segments[0]), "%d-%d", &low, &high)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(s.store.path(logName(high)), encoded(record{key: []byte("1"), value: []byte("old")}), 0o600))
		if low < high { // the oldest ones were merged: one of them is still there
			require.NoError(t, s.writeSegment(segmentName(low, low), record{key: []byte("1"), value: []byte("old")}))
		}
	}
}

// writeSegment makes a segment's file with one record.
func (s *tested) writeSegment(name string, r record) error {
	m, err := newMemtable(s.heap, 1, false)
	if err != nil {
		return err
	}
	n, err := m.newNode(1, 1, r)
	if err != nil {
		return err
	}
	m.insert(n)
	if err := writeSegment(s.heap, filepath.Join(s.path, name), m.cursor(nil, 1), false); err != nil {
		return err
	}
	return m.scope.Free()
}

// encoded is a record as it is in a file.
func encoded(r record) []byte {
	header := r.header()
	return slices.Concat(header[:], r.key, r.value)
}
