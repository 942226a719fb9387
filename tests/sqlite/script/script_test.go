package main

import (
	"database/sql"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"modernc.org/libc"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/glassheap/glassheap/internal/openheaps"
)

// TestEachAllocationOfSQLiteIsABlock: without its lookaside, as many allocations as SQLite counts the heap has blocks.
func TestEachAllocationOfSQLiteIsABlock(t *testing.T) {
	require.NoError(t, configure(sqlite3.SQLITE_CONFIG_MEMSTATUS, int32(1)))
	require.NoError(t, withoutLookaside())
	db, err := sql.Open("sqlite", ":memory:")
	require.NoError(t, err)
	defer db.Close()
	db.SetMaxOpenConns(1)
	require.NoError(t, execute(db, "create table first (a)"))
	require.NoError(t, execute(db, "insert into first values (?)"))
	allocations, blocks := allocationsOfSQLite(t), blocksOfTheHeap(t)
	const n = 50
	for i := range n {
		require.NoError(t, execute(db, fmt.Sprintf("create table t%d (a integer primary key, b text)", i)))
		require.NoError(t, execute(db, fmt.Sprintf("insert into t%d (b) values (?)", i)))
		kept, err := db.Prepare(fmt.Sprintf("select b from t%d where a = 1", i))
		require.NoError(t, err)
		defer kept.Close()
	}
	more := allocationsOfSQLite(t) - allocations
	require.Greater(t, more, 10*n) // pages, tables and their names, prepared statements
	require.Equal(t, more+n, blocksOfTheHeap(t)-blocks, "and a text of the driver's for each prepared statement")
	require.Zero(t, fromLookaside(t, db), "which SQLite does not count as allocations")
}

// allocationsOfSQLite is how many SQLite counts that are live.
func allocationsOfSQLite(t *testing.T) int {
	t.Helper()
	tls := libc.NewTLS()
	defer tls.Close()
	results := libc.Xcalloc(tls, 2, 4)
	require.NotZero(t, results)
	defer libc.Xfree(tls, results)
	require.EqualValues(t, sqlite3.SQLITE_OK, sqlite3.Xsqlite3_status(tls, sqlite3.SQLITE_STATUS_MALLOC_COUNT, results, results+4, 0))
	return int(libc.AtomicLoadPInt32(results))
}

// fromLookaside is how often the connection took memory from its own pool.
func fromLookaside(t *testing.T, db *sql.DB) (times int) {
	t.Helper()
	c, err := db.Conn(t.Context())
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.Raw(func(driver any) (err error) {
		_, times, err = driver.(sqlite.DBStatus).Status(sqlite.DBStatusLookasideHit, false)
		return err
	}))
	return times
}

// blocksOfTheHeap is how many are live.
func blocksOfTheHeap(t *testing.T) int {
	t.Helper()
	heaps := openheaps.Count()
	require.Len(t, heaps, 1)
	return int(heaps[0].LiveBlocks)
}
