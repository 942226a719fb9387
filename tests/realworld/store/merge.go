package main

import (
	"bytes"
	"errors"
)

// cursor walks over records in the order of their keys.
type cursor interface {
	next() (bool, error) // goes to the next record; at first, to the first one
	record() record      // is valid until next or close
	close() error        // may be called twice
}

// merge walks over several cursors, the newest first: of records with one key it has the newest only.
type merge struct {
	cursors []cursor
	stands  []bool // at a record
	at      int    // which cursor has the current record; -1: next has not been called
}

func newMerge(cursors []cursor) *merge {
	return &merge{cursors: cursors, stands: make([]bool, len(cursors)), at: -1}
}

func (m *merge) next() (bool, error) {
	if err := m.leave(); err != nil {
		return false, err
	}
	m.at = -1
	for i, c := range m.cursors {
		if m.stands[i] && (m.at < 0 || bytes.Compare(c.record().key, m.record().key) < 0) {
			m.at = i
		}
	}
	return m.at >= 0, nil
}

// leave has each cursor that stands at the current key go on; the one that has the key itself last.
func (m *merge) leave() (err error) {
	for i, c := range m.cursors {
		if m.at < 0 || m.stands[i] && i != m.at && bytes.Equal(c.record().key, m.record().key) {
			if m.stands[i], err = c.next(); err != nil {
				return err
			}
		}
	}
	if m.at >= 0 {
		m.stands[m.at], err = m.cursors[m.at].next()
	}
	return err
}

func (m *merge) record() record { return m.cursors[m.at].record() }

func (m *merge) close() error {
	var errs []error
	for _, c := range m.cursors {
		errs = append(errs, c.close())
	}
	return errors.Join(errs...)
}
