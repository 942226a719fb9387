//go:build !linux

package target

import "context"

// OpenProcess opens a heap of a running process. Only Linux has a door for that: the error is a *PlatformError.
func OpenProcess(pid int, o Options) (Target, error) {
	return nil, &PlatformError{Wish: "look into a process"}
}

// Self opens a heap of this process. Only Linux has a door for that: the error is a *PlatformError.
func Self(o Options) (Target, error) {
	return nil, &PlatformError{Wish: "look into its own process"}
}

// FindHeaps lists the heaps of a process. Only Linux has a door for that: the error is a *PlatformError.
func FindHeaps(pid int) ([]Place, error) {
	return nil, &PlatformError{Wish: "find the heaps of a process"}
}

// FindProcesses looks for heaps in every process. Only Linux has a door for that: the error is a *PlatformError.
func FindProcesses(context.Context) (*Sightings, error) {
	return nil, &PlatformError{Wish: "find the heaps of processes"}
}
