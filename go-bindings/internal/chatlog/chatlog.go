// Package chatlog is what participants have when a chat is over, and the checks on it. Nothing here sorts: the order of a
// log is the one in which the participant's engine keeps it, and a check that could put it right could not fail.
package chatlog

import (
	"fmt"
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

// Log is what one participant has.
type Log struct {
	Name string
	// Entries are in the order of the engine's log, with sender and text as the participant was shown them.
	Entries []Entry
	// Shown are message ids in the order in which the participant was shown them as being in order. Its own are among
	// them, from when it sent them.
	Shown []string
	// GivenUp are messages that it waited for too long: what names them was shown without them.
	GivenUp map[string]bool
}

// Complete returns nil if a log holds exactly total messages, and the participant was shown exactly those, once each.
func Complete(log Log, total int) error {
	logged := make(map[string]bool, len(log.Entries))
	for _, entry := range log.Entries {
		if logged[entry.ID] {
			return fmt.Errorf("the log of %s holds message %s twice", log.Name, shorten(entry.ID))
		}
		logged[entry.ID] = true
	}
	shown := make(map[string]bool, len(log.Shown))
	for _, id := range log.Shown {
		if shown[id] {
			return fmt.Errorf("%s was shown message %s twice", log.Name, shorten(id))
		}
		if shown[id] = true; !logged[id] {
			return fmt.Errorf("%s was shown message %s, which is not in its log", log.Name, shorten(id))
		}
	}
	if len(shown) < len(logged) {
		return fmt.Errorf("%s was shown %d of the %d messages in its log", log.Name, len(shown), len(logged))
	}
	if len(logged) != total {
		return fmt.Errorf("the log of %s holds %d of %d messages", log.Name, len(logged), total)
	}
	return nil
}

// Ascending returns nil if a log is in the order that RFC 109 gives it: Lamport timestamp, then message id bytewise.
func Ascending(log Log) error {
	for i := 1; i < len(log.Entries); i++ {
		a, b := log.Entries[i-1], log.Entries[i]
		if a.Timestamp > b.Timestamp || a.Timestamp == b.Timestamp && a.ID >= b.ID {
			return fmt.Errorf("the log of %s is out of order at message %d: %s after %s",
				log.Name, i+1, describe(&b), describe(&a))
		}
	}
	return nil
}

// Equal returns nil if all logs hold the same entries in the same order, and otherwise the first difference found.
func Equal(logs []Log) error {
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

// Causal returns nil if the participant was shown no message before one that it names in its causal history, unless it
// had given that one up. Named is the histories by message, gaps how often what was given up was missing.
func Causal(log Log, history map[string][]string) (named, gaps int, err error) {
	shown := make(map[string]bool, len(log.Shown))
	for _, id := range log.Shown {
		for _, before := range history[id] {
			named++
			switch {
			case shown[before]:
			case log.GivenUp[before]:
				gaps++
			default:
				return named, gaps, fmt.Errorf("%s was shown message %s before %s, which it depends on",
					log.Name, shorten(id), shorten(before))
			}
		}
		shown[id] = true
	}
	return named, gaps, nil
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
	return fmt.Sprintf("%q by %s (timestamp %d, id %s)", e.Text, e.Sender, e.Timestamp, shorten(e.ID))
}

func shorten(id string) string {
	if len(id) > 12 {
		return strings.ToValidUTF8(id[:12], "?") + "..."
	}
	return id
}

func difference(a, b Log) *Difference {
	for i := range max(len(a.Entries), len(b.Entries)) {
		d := &Difference{A: a.Name, B: b.Name, Index: i}
		if i < len(a.Entries) {
			d.InA = &a.Entries[i]
		}
		if i < len(b.Entries) {
			d.InB = &b.Entries[i]
		}
		if d.InA == nil || d.InB == nil || *d.InA != *d.InB {
			return d
		}
	}
	return nil
}
