package onlookers

import "golang.org/x/sys/unix"

// LetTrace lets any process of the same user hold this one still, which Yama would allow to its parent only
// (Documentation/admin-guide/LSM/Yama.rst). Where there is no Yama the call fails and nothing is needed.
func LetTrace() { _ = unix.Prctl(unix.PR_SET_PTRACER, ^uintptr(0), 0, 0, 0) }
