package offheap_test

import (
	"sync"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/glassheaptest"
	"github.com/glassheap/glassheap/offheap"
)

// pools gets and puts back, and keeps what each object must hold in a map.
func pools(h *allocator.Heap, audit bool) func(*rapid.T) {
	return func(t *rapid.T) {
		most := rapid.IntRange(0, 5).Draw(t, "most")
		p, err := offheap.NewPool[row](h, most)
		require.NoError(t, err)
		out, kept := map[*row]uint64{}, map[*row]uint64{}
		next := uint64(1)
		put := func(t *rapid.T, o *row) {
			require.NoError(t, p.Put(o))
			if len(kept) < most && !audit {
				kept[o] = out[o]
			}
			delete(out, o)
		}
		one := func(of map[*row]uint64) *row {
			for o := range of {
				return o
			}
			return nil
		}
		t.Repeat(map[string]func(*rapid.T){
			"Get": func(t *rapid.T) {
				o, err := p.Get()
				require.NoError(t, err)
				require.NotContains(t, out, o)
				require.Equal(t, row{Key: kept[o]}, *o, "as it was put back, or zeroed")
				require.Equal(t, len(kept) > 0, kept[o] != 0)
				delete(kept, o)
				o.Key, next = next, next+1
				out[o] = o.Key
			},
			"Put": func(t *rapid.T) {
				if o := one(out); o != nil {
					put(t, o)
				}
			},
			"Put of nothing": func(t *rapid.T) { require.NoError(t, p.Put(nil)) },
			"Put twice": func(t *rapid.T) {
				if o := one(kept); o != nil {
					require.ErrorIs(t, p.Put(o), offheap.ErrForeign)
				}
			},
			"Drain": func(t *rapid.T) {
				if rapid.IntRange(0, 5).Draw(t, "seldom") == 0 {
					require.NoError(t, p.Drain())
					clear(kept)
				}
			},
			"": func(t *rapid.T) {
				require.Equal(t, len(kept), p.Kept())
				require.Equal(t, len(out), p.Out())
				require.EqualValues(t, len(kept)+len(out), h.Stats().LiveBlocks)
				for o, key := range out {
					require.Equal(t, row{Key: key}, *o)
				}
			},
		})
		require.NoError(t, p.Close())
		require.EqualValues(t, len(out), h.Stats().LiveBlocks)
		_, err = p.Get()
		require.ErrorIs(t, err, offheap.ErrFreed)
		require.ErrorContains(t, err, "Get of a Pool[offheap_test.row]")
		require.ErrorIs(t, p.Close(), offheap.ErrFreed)
		for o := range out {
			require.NoError(t, p.Put(o))
		}
		require.Zero(t, h.Stats().LiveBlocks)
		require.NoError(t, p.Drain())
	}
}

func TestPoolIsAMap(t *testing.T) {
	t.Run("audit", func(t *testing.T) { rapid.Check(t, pools(glassheaptest.New(t), true)) })
	t.Run("sealed", func(t *testing.T) { rapid.Check(t, pools(heapOf(t, allocator.ModeSealed), false)) })
	t.Run("plain", func(t *testing.T) { rapid.Check(t, pools(heapOf(t, allocator.ModePlain), false)) })
}

// TestPoolTellsForeigners: what is not out of it is left alone.
func TestPoolTellsForeigners(t *testing.T) {
	for name, o := range map[string]allocator.Options{"sealed": {}, "guarded": {GuardRate: 1}, "plain": {Mode: allocator.ModePlain}} {
		t.Run(name, func(t *testing.T) {
			o.OnViolation = func(*allocator.Violation) {}
			o.ReserveBytes = 64 << 20
			h, err := allocator.New(o)
			require.NoError(t, err)
			p, err := offheap.NewPool[[100]byte](h, 10)
			require.NoError(t, err)
			other, err := offheap.NewPool[[100]byte](h, 10)
			require.NoError(t, err)

			foreign := func(object *[100]byte, why string) {
				t.Helper()
				err := p.Put(object)
				require.ErrorIs(t, err, offheap.ErrForeign)
				require.ErrorContains(t, err, "Pool[[100]uint8]")
				require.ErrorContains(t, err, why)
			}
			foreign(new([100]byte), "none of its objects is there")
			theirs, err := other.Get()
			require.NoError(t, err)
			foreign(theirs, "none of its objects is there")
			block, err := allocator.New1[[100]byte](h)
			require.NoError(t, err)
			foreign(block, "none of its objects is there")
			require.NoError(t, allocator.Free1(h, block))
			require.NoError(t, other.Put(theirs))
			foreign(theirs, "none of its objects is there")

			ours, err := p.Get()
			require.NoError(t, err)
			require.Equal(t, 1, p.Out())
			foreign((*[100]byte)(unsafe.Add(unsafe.Pointer(ours), 1)), "none of its objects is there")
			require.NoError(t, p.Put(ours))
			require.Zero(t, p.Out())
			foreign(ours, "it was put back already")
			require.NoError(t, p.Close())
			foreign(ours, "none of its objects is there")
			require.NoError(t, other.Close())
			require.Zero(t, h.Stats().LiveBlocks)
			require.NoError(t, h.Close())
		})
	}
}

// TestPoolIsWatched: a write past an object's end is told when it is freed, and in audit mode one to what was put back.
func TestPoolIsWatched(t *testing.T) {
	h, err := allocator.New(allocator.Options{ReserveBytes: 64 << 20, OnViolation: func(*allocator.Violation) {}})
	require.NoError(t, err)
	p, err := offheap.NewPool[[56]byte](h, 10)
	require.NoError(t, err)
	o, err := p.Get()
	require.NoError(t, err)
	*(*byte)(unsafe.Add(unsafe.Pointer(o), 56)) ^= 1
	require.NoError(t, p.Put(o))
	violation(t, p.Close(), allocator.Overflow)
	_ = h.Close()

	var told []*allocator.Violation
	audited, err := allocator.New(allocator.Options{Mode: allocator.ModeAudit, ReserveBytes: 64 << 20, OnViolation: func(v *allocator.Violation) { told = append(told, v) }})
	require.NoError(t, err)
	p, err = offheap.NewPool[[56]byte](audited, 10)
	require.NoError(t, err)
	o, err = p.Get()
	require.NoError(t, err)
	require.NoError(t, p.Put(o))
	o[3] = 1
	require.NoError(t, audited.Close())
	require.Len(t, told, 1)
	require.Equal(t, allocator.WriteAfterFree, told[0].Kind)
	require.Equal(t, "github.com/glassheap/glassheap/offheap_test.TestPoolIsWatched", told[0].Freed.Frames()[0].Function)
}

// TestPoolOfNothing: objects of no size are one.
func TestPoolOfNothing(t *testing.T) {
	p, err := offheap.NewPool[struct{}](glassheaptest.New(t), 10)
	require.NoError(t, err)
	for range 3 {
		o, err := p.Get()
		require.NoError(t, err)
		require.NotNil(t, o)
		require.Zero(t, p.Out())
		require.NoError(t, p.Put(o))
		require.NoError(t, p.Put(o))
	}
	require.NoError(t, p.Close())
}

func TestPoolRefusesGoPointers(t *testing.T) {
	type named struct{ Name string }
	_, err := offheap.NewPool[named](glassheaptest.New(t), 1)
	require.ErrorContains(t, err, "offheap_test.named.Name (string) is a Go pointer")
}

// TestPoolOfManyGoroutines: no object is in two hands, and of two that put the same one back, one is told.
func TestPoolOfManyGoroutines(t *testing.T) {
	for name, h := range map[string]*allocator.Heap{"audit": glassheaptest.New(t), "sealed": heapOf(t, allocator.ModeSealed)} {
		t.Run(name, func(t *testing.T) {
			p, err := offheap.NewPool[row](h, 8)
			require.NoError(t, err)
			var holders sync.Map // *row → struct{}
			var all sync.WaitGroup
			for g := range uint64(8) {
				all.Go(func() {
					for i := range uint64(500) {
						var held [3]*row
						for j := range held {
							o, err := p.Get()
							if err != nil {
								t.Error(err)
								return
							}
							if _, both := holders.LoadOrStore(o, nil); both {
								t.Error("an object is in two hands")
							}
							o.Key, held[j] = g<<32|i, o
						}
						for _, o := range held {
							if o.Key != g<<32|i {
								t.Error("somebody else wrote to an object")
							}
							holders.Delete(o)
							if err := p.Put(o); err != nil {
								t.Error(err)
							}
						}
						if i%100 == g {
							if err := p.Drain(); err != nil {
								t.Error(err)
							}
						}
					}
				})
			}
			all.Wait()
			require.LessOrEqual(t, p.Kept(), 8)
			require.NoError(t, p.Close())
			require.Zero(t, h.Stats().LiveBlocks)
		})
	}
}

func TestPutByTwoAtATime(t *testing.T) {
	h := heapOf(t, allocator.ModeSealed)
	p, err := offheap.NewPool[row](h, 100)
	require.NoError(t, err)
	for range 500 {
		o, err := p.Get()
		require.NoError(t, err)
		told := make(chan error)
		for range 2 {
			go func() { told <- p.Put(o) }()
		}
		first, second := <-told, <-told
		if first == nil {
			first = second
		} else {
			require.NoError(t, second)
		}
		require.ErrorIs(t, first, offheap.ErrForeign)
		require.Equal(t, 1, p.Kept())
	}
	require.NoError(t, p.Close())
}
