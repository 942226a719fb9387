// Command workload runs a fixed SQL workload on SQLite in memory and prints how many nanoseconds it took. What SQLite's memory
// comes from was decided when it was built: go.mod replaces modernc.org/memory.
package main

import (
	"database/sql"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	_ "modernc.org/sqlite"
)

func main() {
	rows := flag.Int("rows", 50000, "how many `rows` the table has")
	again := flag.Duration("for", 0, "do it again and again for this `duration`")
	flag.Parse()
	for end := time.Now().Add(*again); ; {
		took, err := work(*rows)
		if err != nil {
			fmt.Fprintln(os.Stderr, "workload:", err)
			os.Exit(1)
		}
		fmt.Println(took.Nanoseconds())
		if !time.Now().Before(end) {
			return
		}
	}
}

// work fills a table with an index, reads it by key and in order, changes and deletes, and makes strings and blobs of it.
func work(rows int) (time.Duration, error) {
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return 0, err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	begin := time.Now()
	if _, err := db.Exec(`create table person (id integer primary key, name text, mail text, note blob, score real);
		create index person_name on person (name);`); err != nil {
		return 0, err
	}
	if err := fill(db, rows); err != nil {
		return 0, err
	}
	if err := look(db, rows); err != nil {
		return 0, err
	}
	for _, query := range []string{
		`update person set mail = upper(mail) || '!', score = score * 2 where id % 3 = 0`,
		`create temp table grouped as select substr(name, 1, 6) as start, count(*) as n, group_concat(mail, ',') as mails from person group by start`,
		`delete from person where id % 5 = 0`,
		`vacuum`,
	} {
		if _, err := db.Exec(query); err != nil {
			return 0, fmt.Errorf("%s: %w", query, err)
		}
	}
	var left int
	if err := db.QueryRow(`select count(*) from person`).Scan(&left); err != nil {
		return 0, err
	}
	if want := rows - rows/5; left != want {
		return 0, fmt.Errorf("%d rows are left, not %d", left, want)
	}
	return time.Since(begin), nil
}

func fill(db *sql.DB, rows int) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback() // after Commit there is nothing to roll back
	insert, err := tx.Prepare(`insert into person values (?, ?, ?, ?, ?)`)
	if err != nil {
		return err
	}
	defer insert.Close()
	for i := 1; i <= rows; i++ {
		name := fmt.Sprintf("name-%07d", i*7919%rows)
		if _, err := insert.Exec(i, name, name+"@example.org", []byte(strings.Repeat("x", i%200)), float64(i)/3); err != nil {
			return err
		}
	}
	return tx.Commit()
}

func look(db *sql.DB, rows int) error {
	byName, err := db.Prepare(`select id, mail, note from person where name = ?`)
	if err != nil {
		return err
	}
	defer byName.Close()
	for i := range rows / 2 {
		var id int
		var mail string
		var note []byte
		if err := byName.QueryRow(fmt.Sprintf("name-%07d", i)).Scan(&id, &mail, &note); err != nil && err != sql.ErrNoRows {
			return err
		}
	}
	ordered, err := db.Query(`select name, score from person order by score desc, name`)
	if err != nil {
		return err
	}
	defer ordered.Close()
	for ordered.Next() {
		var name string
		var score float64
		if err := ordered.Scan(&name, &score); err != nil {
			return err
		}
	}
	return ordered.Err()
}
