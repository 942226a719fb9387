//go:build modules && linux && amd64

package main

import (
	"slices"
	"strings"

	"github.com/glassheap/glassheap/internal/upstream"
)

// bug is a mistake in SQLite's own code, or in that of its Go driver, and how it is found.
type bug struct {
	upstream.Bug
	lookaside bool     // SQLite keeps its pool of small blocks
	script    []string // reaches the line
	told      []upstream.Told
}

// audited reports and goes on, so that what a bug does later is seen too. guarded has each block on a page of its own.
const (
	sealed  = "mode=sealed,policy=report"
	audited = "mode=audit,policy=report"
	guarded = "mode=audit,policy=report,guard=1/1"
)

var bugs = []bug{
	{
		Bug: upstream.Bug{Name: "terminator", Package: "lib", Function: "func _sqlite3DbStrNDup(",
			Right: "v1 = _sqlite3DbMallocRawNN(tls, db, n+uint64(1))",
			Wrong: "v1 = _sqlite3DbMallocRawNN(tls, db, n)"},
		script: []string{"create table person (id integer, name text)"},
		told: []upstream.Told{
			upstream.ByViolation.Tells(sealed, "overflow", "", ""),
			upstream.ByViolation.Tells(audited, "overflow", "allocated by", upstream.PlantedLine),
		},
	},
	{
		Bug: upstream.Bug{Name: "blob", Package: "", Function: "func (c *conn) bindBlob(",
			Right: "copy((*libc.RawMem)(unsafe.Pointer(p))[:len(value):len(value)], value)",
			Wrong: "copy((*libc.RawMem)(unsafe.Pointer(p))[:len(value)+1:len(value)+1], string(value)+\"\\x00\")"},
		script: []string{
			"create table photo (pixels blob)",
			// One guarded block in four has its start at the page's.
			"insert into photo values (?), (?), (?), (?), (?), (?), (?), (?), (?), (?), (?), (?), (?), (?), (?), (?), (?), (?), (?), (?)",
		},
		told: []upstream.Told{
			upstream.ByViolation.Tells(sealed, "overflow", "", ""),
			upstream.ByViolation.Tells(audited, "overflow", "allocated by", "sqlite.(*conn).bindBlob"), // the line writes, and allocates nothing
			upstream.ByFault.Tells(guarded, "out-of-bounds", "found by", upstream.PlantedLine),
		},
	},
	{
		Bug: upstream.Bug{Name: "before", Package: "lib", Function: "func _randomBlob(",
			Right: "Xsqlite3_randomness(tls, int32(n), p)",
			Wrong: "Xsqlite3_randomness(tls, int32(n), p-12)"},
		// With the 8 bytes that SQLite puts before it a block of a page: its start is the page's.
		script: []string{"select length(randomblob(4088))", "select length(randomblob(100))"},
		told: []upstream.Told{
			upstream.ByViolation.Tells(sealed, "underflow", "", ""),
			upstream.ByViolation.Tells(audited, "underflow", "allocated by", "lib._randomBlob"), // the line writes, and allocates nothing
			upstream.ByFault.Tells(guarded, "out-of-bounds", "found by", upstream.PlantedLine),
		},
	},
	{
		Bug: upstream.Bug{Name: "twice", Package: "lib", Function: "func _attachFunc(",
			Right: "Xsqlite3_result_error(tls, context, *(*uintptr)(__ccgo_ptr(bp)), -int32(1))",
			Wrong: "Xsqlite3_result_error(tls, context, *(*uintptr)(__ccgo_ptr(bp)), -int32(1)); _sqlite3DbFree__ccgo_gp(tls, unsafe.Pointer(db), *(*uintptr)(__ccgo_ptr(bp)))"},
		script: []string{"attach ':memory:' as main"},
		told:   []upstream.Told{upstream.ByViolation.Tells(audited, "double-free", "freed by", upstream.PlantedLine)},
	},
	{
		Bug: upstream.Bug{Name: "closed", Package: "lib", Function: "func _sqlite3LeaveMutexAndCloseZombie(",
			Right: "Xsqlite3_free(tls, db)",
			Wrong: "Xsqlite3_free(tls, db); (*Tsqlite3)(unsafe.Pointer(db)).FeOpenState = uint8(SQLITE_STATE_CLOSED)"},
		script: []string{"select 1"},
		told: []upstream.Told{
			upstream.ByCheck.Tells(audited, "write-after-free", "freed by", upstream.PlantedLine),
			upstream.ByFault.Tells(guarded, "use-after-free", "freed by", upstream.PlantedLine),
		},
	},
	{
		Bug: upstream.Bug{Name: "early", Package: "lib", Function: "func _hexFunc(",
			Right: "Xsqlite3_result_text64(tls, context, zHex, libc.Uint64FromInt64(int64(z)-int64(zHex)), __ccgo_fp(Xsqlite3_free), uint8(SQLITE_UTF8_ZT))",
			Wrong: "Xsqlite3_result_text64(tls, context, zHex, libc.Uint64FromInt64(int64(z)-int64(zHex)), uintptr(0), uint8(SQLITE_UTF8_ZT)); Xsqlite3_free(tls, zHex)"},
		script: []string{"select hex('glassheap')"},
		told:   []upstream.Told{upstream.ByFault.Tells(guarded, "use-after-free", "freed by", upstream.PlantedLine)},
	},
	{
		Bug: upstream.Bug{Name: "inside", Package: "lib", Function: "func _freeTempSpace(",
			Right: "_sqlite3PageFree(tls, (*TBtShared)(unsafe.Pointer(pBt)).FpTmpSpace)",
			Wrong: "_sqlite3PageFree(tls, (*TBtShared)(unsafe.Pointer(pBt)).FpTmpSpace+4)"},
		script: []string{"create table t (a)"},
		told: []upstream.Told{
			upstream.ByViolation.Tells(sealed, "invalid-free", "", ""),
			upstream.ByViolation.Tells(audited, "invalid-free", "found by", upstream.PlantedLine),
		},
	},
	{
		Bug: upstream.Bug{Name: "pool", Package: "lib", Function: "func _sqlite3Pragma(",
			Right: "_sqlite3DbFree__ccgo_gp(tls, unsafe.Pointer(db), zLeft)",
			Wrong: "Xsqlite3_free(tls, zLeft)"},
		lookaside: true, // without it the two are the same
		script:    []string{"pragma cache_size"},
		told: []upstream.Told{
			upstream.ByViolation.Tells(sealed, "invalid-free", "", ""),
			upstream.ByViolation.Tells(audited, "invalid-free", "found by", upstream.PlantedLine),
		},
	},
	{
		Bug: upstream.Bug{Name: "again", Package: "lib", Function: "func _btreeCursor(",
			Right: "(*TBtCursor)(unsafe.Pointer(pCur)).FcurPagerFlags = uint8(0)",
			Wrong: "(*TBtCursor)(unsafe.Pointer(pCur)).FcurPagerFlags = uint8(0); _allocateTempSpace(tls, pBt)"},
		script: []string{"create table t (a)", "insert into t values (1)", "insert into t values (2)", "insert into t values (3)"},
		told:   []upstream.Told{upstream.ByUnreachable.Tells(audited, "unreachable", "allocated by", upstream.PlantedLine)},
	},
	{
		Bug: upstream.Bug{Name: "grown", Package: "lib", Function: "func _growOpArray(",
			Right: "pNew = _sqlite3DbRealloc(tls, (*TParse)(unsafe.Pointer(p)).Fdb, (*TVdbe)(unsafe.Pointer(v)).FaOp, libc.Uint64FromInt64(nNew)*uint64(24))",
			Wrong: "pNew = libc.Xmemcpy(tls, _sqlite3DbMallocRaw(tls, (*TParse)(unsafe.Pointer(p)).Fdb, libc.Uint64FromInt64(nNew)*uint64(24)), (*TVdbe)(unsafe.Pointer(v)).FaOp, uint64((*TVdbe)(unsafe.Pointer(v)).FnOpAlloc)*uint64(24))"},
		script: slices.Repeat([]string{"select 0" + strings.Repeat(", random()", 400)}, 3), // programs of more than 400 instructions
		told:   []upstream.Told{upstream.ByUnreachable.Tells(audited, "unreachable", "allocated by", upstream.PlantedLine)},
	},
	{
		Bug: upstream.Bug{Name: "forgotten", Package: "", Function: "func (s *stmt) Close(",
			Right: "s.c.free(s.psql)",
			Wrong: ""},
		script: []string{"select 1", "select 2", "select 3", "select 4"},
		told:   []upstream.Told{upstream.ByUnreachable.Tells(audited, "unreachable", "allocated by", "sqlite.newStmt")}, // the line is missing: no stack can have it
	},
}
