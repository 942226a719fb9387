// Command script runs the SQL statements that it is called with, one after the other, on SQLite in memory, reads all that they
// return, and closes the database. It binds a blob of 32 bytes to each parameter; what SQLite does not accept is printed. Then it
// says "done", and waits until its standard input ends, so that somebody may ask about its memory. An access that a guard page
// caught is told as a report.
package main

import (
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/glassheap/glassheap/allocator"
	"modernc.org/libc"
	_ "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

func main() {
	lookaside := flag.Bool("lookaside", false, "leave SQLite its pool of small blocks")
	flag.Parse()
	var err error
	fault := allocator.CatchFaults(func() { err = run(*lookaside, flag.Args()) })
	if err := errors.Join(fault, err); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1) // at once: SQLite's locks may be held
	}
	fmt.Println("done")
	io.Copy(io.Discard, os.Stdin)
}

func run(lookaside bool, statements []string) error {
	if !lookaside {
		if err := withoutLookaside(); err != nil {
			return err
		}
	}
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	for _, statement := range statements {
		if err := execute(db, statement); err != nil {
			fmt.Printf("%s: %v\n", statement, err)
		}
	}
	return db.Close()
}

// withoutLookaside has every allocation of SQLite be one of the heap. By default each connection has a pool for its small ones, in
// one block, where nothing watches. SQLite takes it before its first connection only.
func withoutLookaside() error {
	return configure(sqlite3.SQLITE_CONFIG_LOOKASIDE, int32(0), int32(0)) // the size of a slot, and how many
}

// configure is sqlite3_config.
func configure(option int32, values ...any) error {
	tls := libc.NewTLS()
	defer tls.Close()
	arguments := libc.NewVaList(values...)
	if arguments == 0 {
		return errors.New("there is no memory for the arguments of sqlite3_config")
	}
	defer libc.Xfree(tls, arguments)
	if rc := sqlite3.Xsqlite3_config(tls, option, arguments); rc != sqlite3.SQLITE_OK {
		return fmt.Errorf("sqlite3_config says %d", rc)
	}
	return nil
}

// execute runs a statement and reads what it returns.
func execute(db *sql.DB, statement string) error {
	prepared, err := db.Prepare(statement)
	if err != nil {
		return err
	}
	blobs := slices.Repeat([]any{[]byte(strings.Repeat("x", 32))}, strings.Count(statement, "?"))
	rows, err := prepared.Query(blobs...)
	if err != nil {
		return errors.Join(err, prepared.Close())
	}
	columns, err := rows.Columns()
	if err != nil {
		return errors.Join(err, rows.Close(), prepared.Close())
	}
	values := make([]any, len(columns))
	for i := range values {
		values[i] = new(sql.RawBytes)
	}
	for rows.Next() && err == nil {
		err = rows.Scan(values...)
	}
	return errors.Join(err, rows.Err(), rows.Close(), prepared.Close())
}
