package interop

import (
	"slices"
	"testing"
	"time"

	"github.com/status-im/sds-rs/go-bindings/sds"
)

// Our sync message, with the one filter size that @waku/sds can read, acknowledges and leaves no trace.
func TestOurSync(t *testing.T) {
	scene(t)
	n := newNetwork(t, 20, 0)
	alice, bob := n.ours("alice"), n.theirs("bob", options{})
	b := bob.say("hello")
	alice.hear(b)
	s := alice.due("", "sync")
	if s.seen.FilterBytes != 18_752 || len(s.seen.Content) != 0 || len(s.seen.History) != 1 || s.seen.Timestamp == 0 {
		t.Errorf("%+v", s.seen)
	}
	bob.hear(s)
	if bob.told(eventSync, s.id) != 1 || bob.told(eventDone, s.id) != 0 || bob.acks[b.id] != 1 {
		t.Errorf("%+v", bob.events)
	}
	n.wait(time.Second)
	answer := bob.say("more")
	if names(answer, s.id) {
		t.Error("their history names our sync message")
	}
	// It is in nobody's filter, but the content is.
	if filtered := bob.dump(s.id, b.id).Filtered; !slices.Equal(filtered, []string{b.id}) {
		t.Errorf("their filter holds %v", filtered)
	}
	alice.hear(answer)
	n.checkLogs(alice, bob)
}

// Their sync message is processed in the same way: it acknowledges, is not logged, named or waited for.
func TestTheirSync(t *testing.T) {
	scene(t)
	n := newNetwork(t, 21, 0)
	alice, bob := n.ours("alice"), n.theirs("bob", options{})
	if none := bob.sync(); len(none) != 0 {
		t.Errorf("a sync message from an empty log: %+v", none)
	}
	a := alice.say("hello")
	bob.hear(a)
	n.wait(time.Second)
	s := bob.sync()[0]
	u := alice.hear(s)
	if u.Disposition != sds.DispositionSync || len(u.Content) != 0 || !u.HasTimestamp || u.Timestamp != s.seen.Timestamp {
		t.Errorf("%+v", u)
	}
	if alice.acks[a.id] != 1 || alice.state(a.id).State != sds.StateAcknowledged {
		t.Errorf("%+v", alice.state(a.id))
	}
	n.wait(time.Second)
	next := alice.say("more")
	if names(next, s.id) {
		t.Error("our history names their sync message")
	}
	bob.hear(next)
	n.checkLogs(alice, bob)
	// Nothing of ours waits for an acknowledgement but what bob has not confirmed yet.
	if status := alice.status(); status.Received != 0 || status.Logged != 2 || status.Unacknowledged != 1 {
		t.Errorf("%+v", status)
	}
}

// A sync message tells of gaps before any further message does, both ways.
func TestSyncTellsOfGaps(t *testing.T) {
	scene(t)
	n := newNetwork(t, 22, 0)
	alice, bob := n.ours("alice"), n.theirs("bob", options{})
	a, b := alice.say("lost, alice"), bob.say("lost, bob")
	n.wait(time.Second)
	theirs := bob.sync()[0]
	u := alice.hear(theirs)
	if len(u.Unmet) != 1 || string(u.Unmet[0].MessageID) != b.id || u.Disposition != sds.DispositionSync {
		t.Errorf("%v, unmet %+v", u.Disposition, u.Unmet)
	}
	missing := about[sds.Missing](alice)
	if len(missing) != 1 || string(missing[0].MessageID) != b.id {
		t.Fatalf("alice misses %+v", missing)
	}
	ours := alice.due("", "sync")
	bob.hear(ours)
	if left := bob.sweep().Missing; len(left) != 1 || left[0].ID != a.id {
		t.Fatalf("bob misses %+v", left)
	}
	shortcoming(t, "keeps a sync message among those that wait", len(bob.dump().Waiting) == 0)
	if !n.fetch(alice, missing[0].RetrievalHint) || !n.fetch(bob, []byte(a.hint())) {
		t.Fatal("the store does not have it")
	}
	n.until("fetched", func() bool { return len(n.flight) == 0 })
	if left := bob.sweep().Missing; len(left) != 0 || alice.status().Missing != 0 {
		t.Errorf("bob misses %+v, alice %d", left, alice.status().Missing)
	}
	n.checkLogs(alice, bob)
}

func names(p packet, id string) bool {
	return slices.ContainsFunc(p.seen.History, func(e entry) bool { return e.ID == id })
}
