// Package mtrace reads the recordings that glibc's mtrace() makes of a program's allocations.
//
//	= Start
//	@ ./server:(open_log+0x1c)[0x41c2] + 0x55d0c8a2a610 0x30     malloc of 0x30 bytes
//	@ ./server:[0x4300] < 0x55d0c8a2a610                         realloc: the old block …
//	@ ./server:[0x4300] > 0x55d0c8a2a650 0x60                    … and the new one
//	@ ./server:[0x4310] - 0x55d0c8a2a650                         free
//	= End
//
// A Reader takes plain, gzip and zstd files and gives their events one by one:
//
//	r, err := mtrace.Open("server.mtrace.zst")
//	for {
//		event, err := r.Next()          // io.EOF at the end
//		…
//	}
//	r.Report()                          // lines that made no sense, and whether the end is torn
//
// A recording is not trusted: memory stays bounded whatever it contains, a line that makes no sense is counted and passed
// over. Recordings carry neither times nor thread ids.
package mtrace
