// Package chatlog is the log of one participant, in the order that the protocol gives it, and the comparison of several.
package chatlog

import (
	"fmt"
	"slices"
	"strings"
)

// Entry is one message of a log.
type Entry struct {
	// Timestamp is the Lamport timestamp.
	Timestamp uint64
	ID        string
	Sender    string
	Text      string
}

// compare is the order of the log: Lamport timestamp, then message id bytewise.
func compare(a, b Entry) int {
	switch {
	case a.Timestamp < b.Timestamp:
		return -1
	case a.Timestamp > b.Timestamp:
		return 1
	}
	return strings.Compare(a.ID, b.ID)
}

// Log is what one participant has, in order, whatever the order in which it came.
type Log struct {
	entries []Entry
}

// Insert puts an entry in its place and returns its index; false if it is there already.
func (l *Log) Insert(e Entry) (index int, inserted bool) {
	index, found := slices.BinarySearchFunc(l.entries, e, compare)
	if found {
		return index, false
	}
	l.entries = slices.Insert(l.entries, index, e)
	return index, true
}

// Len is the number of entries.
func (l *Log) Len() int { return len(l.entries) }

// Entries returns a copy of the log.
func (l *Log) Entries() []Entry { return slices.Clone(l.entries) }

// Named is a log and whose it is.
type Named struct {
	Name string
	Log  *Log
}

// Difference is the first place where two logs are not the same.
type Difference struct {
	A, B  string
	Index int
	// InA and InB are what is there; nil where a log ends.
	InA, InB *Entry
}

// Error tells the difference in a sentence.
func (d *Difference) Error() string {
	return fmt.Sprintf("the logs of %s and %s differ at message %d: %s has %s, %s has %s",
		d.A, d.B, d.Index+1, d.A, describe(d.InA), d.B, describe(d.InB))
}

func describe(e *Entry) string {
	if e == nil {
		return "nothing"
	}
	id := e.ID
	if len(id) > 12 {
		id = id[:12] + "..."
	}
	return fmt.Sprintf("%q by %s (timestamp %d, id %s)", e.Text, e.Sender, e.Timestamp, id)
}

// Equal returns nil if all logs hold the same entries in the same order, and otherwise the first difference found.
func Equal(logs []Named) error {
	if len(logs) == 0 {
		return nil
	}
	for _, other := range logs[1:] {
		if d := difference(logs[0], other); d != nil {
			return d
		}
	}
	return nil
}

func difference(a, b Named) *Difference {
	for i := range max(a.Log.Len(), b.Log.Len()) {
		d := &Difference{A: a.Name, B: b.Name, Index: i}
		if i < a.Log.Len() {
			d.InA = &a.Log.entries[i]
		}
		if i < b.Log.Len() {
			d.InB = &b.Log.entries[i]
		}
		if d.InA == nil || d.InB == nil || *d.InA != *d.InB {
			return d
		}
	}
	return nil
}
