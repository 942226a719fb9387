package allocator

import (
	"math/rand"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSmoke(t *testing.T) {
	for _, g := range []Geometry{GeometryDefault, GeometryNotes} {
		for _, m := range []Mode{ModePlain, ModeSealed} {
			for _, n := range []int{1, 4} {
				h, err := New(Options{Mode: m, Geometry: g, ReserveBytes: 1 << 30})
				require.NoError(t, err)
				var wg sync.WaitGroup
				for k := range n {
					wg.Go(func() {
						r := rand.New(rand.NewSource(int64(k)))
						var live [][]byte
						for range 200000 {
							if len(live) > 0 && r.Intn(2) == 0 {
								i := r.Intn(len(live))
								if err := h.Free(live[i]); err != nil {
									t.Error(err)
								}
								live[i] = live[len(live)-1]
								live = live[:len(live)-1]
							} else {
								size := r.Intn(2000) + 1
								if r.Intn(500) == 0 {
									size = r.Intn(2 << 20)
								}
								b, err := h.Alloc(size)
								if err != nil {
									t.Error(err)
									return
								}
								for i := range b {
									b[i] = byte(i)
								}
								live = append(live, b)
							}
						}
						for _, b := range live {
							if err := h.Free(b); err != nil {
								t.Error(err)
							}
						}
					})
				}
				wg.Wait()
				t.Logf("%v %v %d %+v", g, m, n, h.Stats())
				h.Scavenge()
				t.Logf("%+v", h.Stats())
				require.NoError(t, h.Close())
			}
		}
	}
}
