package interop

import (
	"strings"
	"testing"
	"time"
)

// Whatever one side says the other logs, unchanged and in the same order.
func TestContent(t *testing.T) {
	scene(t)
	n := newNetwork(t, 1, 0)
	alice, bob := n.ours("alice"), n.theirs("bob", options{})
	for _, content := range []string{
		"hello",
		"\x00",
		"\xff\xfe\x00\x80 not UTF-8",
		"grüße, 你好, 🌍",
		strings.Repeat("long ", 40_000),
	} {
		bob.hear(alice.say("alice: " + content))
		n.wait(time.Second)
		alice.hear(bob.say("bob: " + content))
		n.wait(time.Second)
	}
	n.checkLogs(alice, bob)
	for _, m := range alice.log() {
		if got := bob.told(eventDone, m.ID); alice.sent[m.ID] && got != 1 {
			t.Errorf("bob was told %d times of %s", got, m.ID)
		}
	}
}

// Messages of one timestamp are put into the same order by both sides, whatever order they arrived in.
func TestEqualTimestamps(t *testing.T) {
	scene(t)
	n := newNetwork(t, 2, 0)
	alice, bob := n.ours("alice"), n.theirs("bob", options{})
	for i := range 20 {
		a, b := alice.say("alice says "+string(rune('a'+i))), bob.say("bob says "+string(rune('a'+i)))
		if a.seen.Timestamp != b.seen.Timestamp {
			t.Fatalf("not at once: %d and %d", a.seen.Timestamp, b.seen.Timestamp)
		}
		alice.hear(b)
		bob.hear(a)
		n.wait(time.Second)
	}
	n.checkLogs(alice, bob)

	// Ids in which that order and the alphabet differ: "B" is less than "a" in bytes.
	n = newNetwork(t, 2, 0)
	alice, bob = n.ours("alice"), n.theirs("bob", options{})
	carol := n.ours("carol")
	upper, lower := alice.sayAs("B", "upper case"), carol.sayAs("a", "lower case")
	for _, p := range []packet{upper, lower} {
		bob.hear(p)
	}
	alice.hear(lower)
	carol.hear(upper)
	n.checkLogs(alice, carol)
	shortcoming(t, "orders equal timestamps by locale, not by bytes: ids should be lower-case hex", bob.log()[0].ID == "B")
}

// Clocks run ahead of the time by as much as was said at once, and both sides follow each other's.
func TestLamportClocks(t *testing.T) {
	scene(t)
	n := newNetwork(t, 3, 0)
	alice, bob := n.ours("alice"), n.theirs("bob", options{})
	for range 50 {
		bob.hear(alice.say("at once, alice " + string(rune(len(n.said)))))
		alice.hear(bob.say("at once, bob " + string(rune(len(n.said)))))
	}
	want := uint64(epoch.UnixMilli()) + 100
	if log := alice.log(); len(log) != 100 || log[99].Timestamp != want {
		t.Errorf("%d messages, the last at %d, want %d", len(log), log[len(log)-1].Timestamp, want)
	}
	if a, b := alice.status().Timestamp, bob.dump().Timestamp; a != want || b != want {
		t.Errorf("the clocks are at %d and %d, want %d", a, b, want)
	}
	n.checkLogs(alice, bob)
}
