package chatlog

import (
	"slices"
	"strings"
	"testing"
)

var entries = []Entry{{10, "b", "ada", "hi"}, {10, "c", "bo", "hello"}, {11, "a", "cy", "hey"}, {12, "0", "ada", "well"}}

// logOf is a log of the entries with these places in entries, shown in this order.
func logOf(name string, places ...int) Log {
	log := Log{Name: name}
	for _, place := range places {
		log.Entries = append(log.Entries, entries[place])
		log.Shown = append(log.Shown, entries[place].ID)
	}
	return log
}

// wants checks an error against a part of its text; the empty one wants none.
func wants(t *testing.T, err error, problem string) {
	t.Helper()
	if (err == nil) != (problem == "") || err != nil && !strings.Contains(err.Error(), problem) {
		t.Errorf("got %v, want %q", err, problem)
	}
}

func TestEqual(t *testing.T) {
	other := logOf("dee", 0, 1, 2, 3)
	other.Entries[2].Text = "something else"
	more := logOf("dee", 0, 1, 2, 3)
	more.Entries = append(more.Entries, Entry{13, "z", "bo", "more"})
	for name, test := range map[string]struct {
		log     Log
		problem string
	}{
		"the same":     {logOf("dee", 0, 1, 2, 3), ""},
		"other order":  {logOf("dee", 0, 2, 1, 3), "the logs of ada and dee differ at message 2"},
		"shorter":      {logOf("dee", 0, 1, 2), "differ at message 4: ada has \"well\" by ada (timestamp 12, id 0), dee has nothing"},
		"gap":          {logOf("dee", 0, 2, 3), "differ at message 2"},
		"other text":   {other, `has "something else" by cy`},
		"nothing":      {Log{Name: "dee"}, "differ at message 1"},
		"one too many": {more, "differ at message 5: ada has nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			wants(t, Equal([]Log{logOf("ada", 0, 1, 2, 3), logOf("cy", 0, 1, 2, 3), test.log}), test.problem)
		})
	}
}

// Logs that are equal may still be wrong, all in the same way.
func TestAscending(t *testing.T) {
	wants(t, Ascending(logOf("ada", 0, 1, 2, 3)), "")
	wants(t, Ascending(logOf("ada", 0, 1, 3, 2)), "the log of ada is out of order at message 4")
	wants(t, Ascending(logOf("ada", 1, 0, 2, 3)), "out of order at message 2") // equal timestamps: the id decides
	wants(t, Ascending(logOf("ada", 0, 0)), "out of order at message 2")
}

func TestComplete(t *testing.T) {
	unlogged, unshown := logOf("ada", 0, 1, 2), logOf("ada", 0, 1, 2)
	unlogged.Shown = append(unlogged.Shown, "x")
	unshown.Shown = unshown.Shown[:2]
	shownTwice := logOf("ada", 0, 1, 2)
	shownTwice.Shown = append(shownTwice.Shown, shownTwice.Shown[0])
	wants(t, Complete(logOf("ada", 2, 1, 0), 3), "")
	wants(t, Complete(logOf("ada", 0, 1), 3), "holds 2 of 3")
	wants(t, Complete(logOf("ada", 0, 1, 0), 3), "holds message b twice")
	wants(t, Complete(unlogged, 3), "was shown message x, which is not in its log")
	wants(t, Complete(unshown, 3), "was shown 2 of the 3")
	wants(t, Complete(shownTwice, 3), "was shown message b twice")
}

func TestCausal(t *testing.T) {
	history := map[string][]string{"c": {"b"}, "a": {"b", "c"}, "0": {"a"}}
	log := logOf("ada", 0, 1, 2, 3)
	if named, gaps, err := Causal(log, history); named != 4 || gaps != 0 || err != nil {
		t.Errorf("%d named, %d gaps, %v", named, gaps, err)
	}
	// Every order but one breaks a chain; the log, which has another order, does not matter.
	slices.Reverse(log.Shown)
	_, _, err := Causal(log, history)
	wants(t, err, "ada was shown message 0 before a, which it depends on")
	log.Shown = []string{"b", "a", "c", "0"}
	_, _, err = Causal(log, history)
	wants(t, err, "ada was shown message a before c")
	// What somebody waited for in vain is told, and is no breach.
	log.GivenUp = map[string]bool{"c": true}
	if _, gaps, err := Causal(log, history); gaps != 1 || err != nil {
		t.Errorf("%d gaps, %v", gaps, err)
	}
}
