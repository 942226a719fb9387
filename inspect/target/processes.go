package target

import "github.com/glassheap/glassheap/allocator/layout"

// Sighting is a heap in a process of this machine. A heap whose memory several processes have is seen in each of them.
type Sighting struct {
	PID     int
	Program string
	User    string // to whom the process belongs
	Place
	Number    int           // of the heap in its process, from 1: Options.Heap takes it as "#1"
	File      uint64        // inode of the memory file, by which its sightings in several processes are known; 0: it has none
	FileBytes uint64        // that the file takes of memory, or of the disk
	Maker     int           // process that made the heap, as its header says; 0: the header can't be read
	Own       bool          // this process made it, and has it mapped
	Header    layout.Header // as far as Known
	Known     bool          // the header could be read and is of this format
}

// Sightings are the heaps of this machine, and which processes could not be looked into.
type Sightings struct {
	Heaps     []Sighting // by process, then as FindHeaps lists them
	Processes int        // that were looked into
	Refused   []Refused  // that could not be
	Ended     int        // processes that have ended and are still listed, because nobody has waited for them
}

// Refused is a process that may not be looked into.
type Refused struct {
	PID  int
	User string // to whom it belongs; empty: not known
}
