package chatlog

import (
	"math/rand/v2"
	"strings"
	"testing"
)

var entries = []Entry{{10, "b", "ada", "hi"}, {10, "c", "bo", "hello"}, {11, "a", "cy", "hey"}, {12, "0", "ada", "well"}}

func logOf(some []Entry) *Log {
	var log Log
	for _, i := range rand.Perm(len(some)) {
		log.Insert(some[i])
	}
	return &log
}

func TestOrderDoesNotDependOnArrival(t *testing.T) {
	for range 50 {
		log := logOf(entries)
		for i, entry := range log.Entries() {
			if entry != entries[i] {
				t.Fatalf("entry %d is %+v", i, entry)
			}
		}
		if index, inserted := log.Insert(entries[1]); inserted || index != 1 || log.Len() != len(entries) {
			t.Fatal("the same message got in twice")
		}
	}
}

func TestEqual(t *testing.T) {
	same := Named{"ada", logOf(entries)}
	if err := Equal([]Named{same, {"bo", logOf(entries)}, {"cy", logOf(entries)}}); err != nil {
		t.Fatal(err)
	}
	other := append([]Entry{}, entries...)
	other[2].Text = "something else"
	for name, test := range map[string]struct {
		log     *Log
		problem string
	}{
		"shorter":    {logOf(entries[:3]), "differ at message 4: ada has \"well\" by ada (timestamp 12, id 0), dee has nothing"},
		"gap":        {logOf([]Entry{entries[0], entries[2], entries[3]}), "differ at message 2"},
		"other text": {logOf(other), `has "something else" by cy`},
		"nothing":    {&Log{}, "differ at message 1"},
		"one too many": {logOf(append([]Entry{{13, "z", "bo", "more"}}, entries...)),
			"differ at message 5: ada has nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			err := Equal([]Named{same, {"cy", logOf(entries)}, {"dee", test.log}})
			if err == nil || !strings.Contains(err.Error(), test.problem) {
				t.Fatalf("got %v, want %q", err, test.problem)
			}
		})
	}
}
