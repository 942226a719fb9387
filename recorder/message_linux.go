package recorder

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// protocolVersion is that of the messages. Both ends are the same executable, so it is a safeguard only.
const protocolVersion = 1

// message is what the two processes tell each other, one JSON text in each packet of a socket pair.
type message struct {
	Version int         `json:"version"`
	Kind    messageKind `json:"kind"`
	Start   *orders     `json:"start,omitempty"`
	Name    string      `json:"name,omitempty"` // of a heap
	Base    uint64      `json:"base,omitempty"` // of a heap
}

type messageKind string

const (
	kindStart   messageKind = "start"   // to the second process: its orders
	kindReady   messageKind = "ready"   // from it: it has them, and waits
	kindHeap    messageKind = "heap"    // to it: a heap was made; with the descriptor of its file, if it has one
	kindClosed  messageKind = "closed"  // to it: a heap is being closed
	kindGoodbye messageKind = "goodbye" // to it: the recorder is stopped
)

// orders are what the second process has to know.
type orders struct {
	PID           int    `json:"pid"`
	Program       string `json:"program"`
	BuildID       string `json:"build_id"` // of its executable, and where that was loaded: symbols.Origin
	Entry         uint64 `json:"entry"`
	Directory     string `json:"directory"`
	Own           bool   `json:"own"` // the directory is the default one, which has to be the user's
	SnapshotBytes int64  `json:"snapshot_bytes"`
	TimeLimit     int64  `json:"time_limit_ns"`
	Keep          int    `json:"keep"`
	Silent        bool   `json:"silent"`
	HasPidfd      bool   `json:"has_pidfd"`
}

// mostMessageBytes is larger than any message: paths are at most 4 KiB.
const mostMessageBytes = 32 << 10

// send sends a message, with a file if it is not nil. It waits no longer than the socket's time limit, or, by MSG_DONTWAIT, not
// at all.
func send(socket, flags int, m message, file *os.File) error {
	m.Version = protocolVersion
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	var rights []byte
	if file != nil {
		rights = unix.UnixRights(int(file.Fd()))
	}
	for {
		err := unix.Sendmsg(socket, text, rights, nil, flags|unix.MSG_NOSIGNAL)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// errHungUp says that the other end of the socket is closed.
var errHungUp = errors.New("the other process has hung up")

// receive takes a message, and the file that came with it. errHungUp: there will be no more; unix.EAGAIN: there is none yet.
func receive(socket, flags int) (m message, file *os.File, err error) {
	text, rights := make([]byte, mostMessageBytes), make([]byte, unix.CmsgSpace(4))
	var n, rightsBytes int
	for {
		n, rightsBytes, _, _, err = unix.Recvmsg(socket, text, rights, flags|unix.MSG_CMSG_CLOEXEC)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	switch {
	case errors.Is(err, unix.ECONNRESET):
		return m, nil, errHungUp
	case err != nil:
		return m, nil, err
	case n == 0:
		return m, nil, errHungUp
	}
	if controls, err := unix.ParseSocketControlMessage(rights[:rightsBytes]); err == nil {
		for i := range controls {
			fds, err := unix.ParseUnixRights(&controls[i])
			if err != nil {
				continue
			}
			for _, fd := range fds {
				file = os.NewFile(uintptr(fd), "heap")
			}
		}
	}
	if err := json.Unmarshal(text[:n], &m); err != nil {
		return m, file, fmt.Errorf("a message that is none: %w", err)
	}
	if m.Version != protocolVersion {
		return m, file, fmt.Errorf("a message of version %d, not %d", m.Version, protocolVersion)
	}
	return m, file, nil
}
