package peers

// nothing is no allocator: its loop of the mix is what that workload costs by itself, with its tape and its places. It is
// subtracted from the figures before they are compared.
type nothing[B any] struct {
	block B
	bytes int
}

// The loops without an allocator, by what the peers keep in the places: an address, or a slice of three words.
const (
	loopOfAddresses = "loop"
	loopOfSlices    = "loop-slice"
)

// Loops are those of the mix without an allocator.
func Loops() []Peer {
	return []Peer{
		{Name: loopOfAddresses, open: openNothing[*byte]},
		{Name: loopOfSlices, open: openNothing[[]byte]},
	}
}

// LoopOf names the loop that a peer's figure of the mix contains.
func LoopOf(peer string) string {
	for _, p := range named {
		if p.Name == peer && p.slices {
			return loopOfSlices
		}
	}
	return loopOfAddresses
}

func openNothing[B any]() (tasks, closer, error) {
	return over[B]{new(nothing[B])}, func() error { return nil }, nil
}

func (n *nothing[B]) replace(blocks []B, steps []step) {
	for _, s := range steps {
		n.bytes += int(s.size)
		blocks[s.place] = n.block
	}
}

func (n *nothing[B]) pair(int, int)       {}
func (n *nothing[B]) fill([]B, int)       {}
func (n *nothing[B]) drain([]B, []int32)  {}
func (n *nothing[B]) replay([]B, []event) {}
