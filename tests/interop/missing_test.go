package interop

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/status-im/sds-rs/go-bindings/sds"
)

// A message of ours is lost. The next one tells them so, with its hint; our resend, or the store, closes the gap.
func TestTheyMissOurs(t *testing.T) {
	for _, how := range []string{"resend", "store"} {
		t.Run(how, func(t *testing.T) {
			scene(t)
			n := newNetwork(t, 4, 0)
			alice, bob := n.ours("alice"), n.theirs("bob", options{})
			lost := alice.say("lost")
			n.wait(time.Second)
			next := alice.say("next")
			bob.hear(next)
			if bob.told(eventMissing, lost.id) == 0 || bob.told(eventDone, next.id) != 0 {
				t.Errorf("bob does not wait for %s: %+v", lost.id, bob.events)
			}
			missing := bob.sweep().Missing
			if len(missing) != 1 || missing[0].ID != lost.id || string(missing[0].Hint) != lost.hint() ||
				missing[0].Sender != "alice" {
				t.Fatalf("bob misses %+v", missing)
			}

			if how == "resend" {
				again := alice.due("resend", "content")
				if again.id != lost.id || string(again.data) != string(lost.data) {
					t.Fatalf("resent is %s, not %s as it was", again.id, lost.id)
				}
				bob.hear(again)
			} else {
				if !n.fetch(bob, missing[0].Hint) {
					t.Fatal("the store does not have it")
				}
				n.until("fetched", func() bool { return len(n.flight) == 0 })
			}
			if left := bob.sweep().Missing; len(left) != 0 {
				t.Errorf("bob still misses %+v", left)
			}
			if bob.told(eventDone, next.id) != 1 {
				t.Errorf("bob was told %d times of what waited", bob.told(eventDone, next.id))
			}
			n.checkLogs(alice, bob)
		})
	}
}

// A message of theirs is lost. The next one tells us so; their resend, the store, or the host closes the gap.
func TestWeMissTheirs(t *testing.T) {
	for _, how := range []string{"resend", "store", "met by other means"} {
		t.Run(how, func(t *testing.T) {
			scene(t)
			n := newNetwork(t, 5, 0)
			alice, bob := n.ours("alice"), n.theirs("bob", options{})
			lost := bob.say("lost")
			n.wait(time.Second)
			next := bob.say("next")
			u := alice.hear(next)
			want := sds.HistoryEntry{MessageID: sds.MessageID(lost.id), RetrievalHint: []byte(lost.hint()), SenderID: "bob"}
			if u.Disposition != sds.DispositionWaiting || len(u.Unmet) != 1 || !same(u.Unmet[0], want) {
				t.Errorf("%v, unmet %+v", u.Disposition, u.Unmet)
			}
			missing := about[sds.Missing](alice)
			if len(missing) != 1 || !same(missing[0].HistoryEntry, want) {
				t.Fatalf("alice misses %+v", missing)
			}

			switch how {
			case "resend":
				n.wait(time.Minute)
				bob.tick()
				for _, p := range bob.emptied() {
					alice.hear(p)
				}
			case "store":
				if !n.fetch(alice, missing[0].RetrievalHint) {
					t.Fatal("the store does not have it")
				}
				n.until("fetched", func() bool { return len(n.flight) == 0 })
			default:
				check(t, alice.MarkDependenciesMet(room, []sds.MessageID{missing[0].MessageID}, n.now))
				alice.contents[lost.id] = "seen elsewhere"
				alice.drain()
			}
			delivered := about[sds.Delivered](alice)
			if len(delivered) != 1 || string(delivered[0].MessageID) != next.id || string(delivered[0].Content) != "next" {
				t.Errorf("delivered %+v", delivered)
			}
			if status := alice.status(); status.Missing != 0 || status.Waiting != 0 || status.Lost != 0 {
				t.Errorf("%+v", status)
			}
			if how == "met by other means" {
				return // the lost one is in no log of ours, as the host wanted it
			}
			n.checkLogs(alice, bob)
		})
	}
}

func same(a, b sds.HistoryEntry) bool {
	return a.MessageID == b.MessageID && string(a.RetrievalHint) == string(b.RetrievalHint) && a.SenderID == b.SenderID
}

// Messages arrive in the reverse of their order. Both sides log them in order. Ours shows them in order, too; theirs takes
// a message that itself waits for one that is here.
func TestReversed(t *testing.T) {
	scene(t)
	n := newNetwork(t, 6, 0)
	alice, bob := n.ours("alice"), n.theirs("bob", options{})
	var fromAlice, fromBob []packet
	for i := range 6 {
		fromAlice = append(fromAlice, alice.say(fmt.Sprint("alice ", i)))
		fromBob = append(fromBob, bob.say(fmt.Sprint("bob ", i)))
		n.wait(time.Second)
	}
	for i := range fromAlice {
		bob.hear(fromAlice[5-i])
		alice.hear(fromBob[5-i]) // fails if anything is shown before what it depends on
	}
	for range 6 {
		bob.sweep()
	}
	var shown []string
	for _, e := range bob.events {
		if e.Name == eventDone {
			shown = append(shown, e.IDs...)
		}
	}
	var want []string
	for _, p := range fromAlice {
		want = append(want, p.id)
	}
	if !equalSets(shown, want) {
		t.Errorf("bob shows %d of %d", len(shown), len(want))
	}
	shortcoming(t, "delivers a message while what it depends on still waits", slices.Equal(shown, want))
	n.checkLogs(alice, bob)
}

func equalSets(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

// What arrives twice is delivered once, at least by ours, and logged once by both.
func TestDuplicates(t *testing.T) {
	scene(t)
	n := newNetwork(t, 7, 0)
	alice, bob := n.ours("alice"), n.theirs("bob", options{})
	a, b := alice.say("twice, alice"), bob.say("twice, bob")
	for range 2 {
		bob.hear(a)
	}
	if u := alice.hear(b); u.Disposition != sds.DispositionDelivered {
		t.Errorf("%v", u.Disposition)
	}
	if u := alice.hear(b); u.Disposition != sds.DispositionDuplicate || string(u.Content) != "twice, bob" {
		t.Errorf("%v %q", u.Disposition, u.Content)
	}
	if u := alice.hear(a); u.Disposition != sds.DispositionOwn {
		t.Errorf("our own message, echoed, is %v", u.Disposition)
	}
	bob.hear(b)
	shortcoming(t, "tells of a message again when it arrives again", bob.told(eventDone, a.id) == 1)
	n.checkLogs(alice, bob)
}

// @waku/sds names its messages by their payload. To say the same again is to say nothing new, and both logs stay equal.
func TestEqualPayloads(t *testing.T) {
	scene(t)
	n := newNetwork(t, 8, 0)
	alice, bob := n.ours("alice"), n.theirs("bob", options{})
	first := bob.say("ok")
	alice.hear(first)
	for _, p := range []packet{alice.say("ok"), alice.say("ok")} {
		bob.hear(p) // ours are told apart, and confirm bob's, who from now on would make a new message of it
		n.wait(time.Second)
	}
	again := bob.say("ok")
	u := alice.hear(again)
	shortcoming(t, "gives equal payloads one id, so that whoever says the same again is not heard", again.id != first.id)
	if again.seen.Timestamp == first.seen.Timestamp || u.Disposition != sds.DispositionDuplicate {
		t.Errorf("%d and %d, %v", first.seen.Timestamp, again.seen.Timestamp, u.Disposition)
	}
	n.said[first.id] = first
	n.checkLogs(alice, bob)
}
