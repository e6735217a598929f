package interop

import (
	"testing"
	"time"

	"github.com/status-im/sds-rs/go-bindings/sds"
)

// Ephemeral messages are read by both sides, wait for nothing and leave no trace.
func TestEphemeral(t *testing.T) {
	scene(t)
	n := newNetwork(t, 30, 0)
	alice, bob := n.ours("alice"), n.theirs("bob", options{})
	bob.hear(alice.say("hello"))
	alice.hear(bob.say("hello, alice"))
	lost := bob.say("lost")
	_ = lost

	theirs := bob.whisper("bob is typing")
	u := alice.hear(theirs)
	if u.Disposition != sds.DispositionEphemeral || string(u.Content) != "bob is typing" || u.HasTimestamp || u.SenderID != "bob" {
		t.Errorf("%+v", u)
	}
	if again := alice.hear(theirs); again.Disposition != sds.DispositionEphemeral {
		t.Errorf("remembered: %v", again.Disposition)
	}

	ours := alice.whisper("alice is typing")
	if ours.seen.FilterBytes != 0 || len(ours.seen.History) != 0 || ours.seen.Timestamp != 0 {
		t.Errorf("%+v", ours.seen)
	}
	before := len(bob.events)
	bob.hear(ours) // which also checks that it reads kind and content as they were sent
	shortcoming(t, "has no event for an ephemeral message: its host has to look for itself", len(bob.events) > before)

	// No trace: neither log nor filter nor clock nor the next history has it, and nothing waits to be acknowledged.
	if filtered := bob.dump(ours.id).Filtered; len(filtered) != 0 {
		t.Error("it is in their filter")
	}
	alice.hear(lost)
	n.wait(time.Second)
	a, b := alice.say("done"), bob.say("done, too")
	if names(a, theirs.id) || names(a, ours.id) || names(b, theirs.id) || names(b, ours.id) {
		t.Errorf("named: %+v, %+v", a.seen.History, b.seen.History)
	}
	if unacknowledged := alice.status().Unacknowledged; unacknowledged != 1 {
		t.Errorf("%d of ours unacknowledged", unacknowledged)
	}
	bob.hear(a)
	alice.hear(b)
	n.checkLogs(alice, bob)
}
