package interop

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/status-im/sds-rs/go-bindings/sds"
)

// Their message names ours in its causal history: ours is acknowledged, for certain.
func TestTheirHistoryAcknowledgesOurs(t *testing.T) {
	scene(t)
	n := newNetwork(t, 10, 0)
	alice, bob := n.ours("alice"), n.theirs("bob", options{})
	a := alice.say("did you get this?")
	if state := alice.state(a.id).State; state != sds.StateUnacknowledged {
		t.Errorf("%v before anybody heard it", state)
	}
	alice.hear(bob.say("I did not"))
	if state := alice.state(a.id).State; state != sds.StateUnacknowledged {
		t.Errorf("%v by a message that does not know it", state)
	}
	bob.hear(a)
	n.wait(time.Second)
	alice.hear(bob.say("I did"))
	status := alice.state(a.id)
	want := []sds.Acknowledger{{ParticipantID: "bob", Certain: true}}
	if status.State != sds.StateAcknowledged || !slices.Equal(status.Acknowledgers, want) || alice.acks[a.id] != 1 {
		t.Errorf("%+v, told %d times", status, alice.acks[a.id])
	}
}

// Their filter holds ours, and their history does not name it: evidence, which is enough by default, and is not where the
// host wants more.
func TestTheirFilterAcknowledgesOurs(t *testing.T) {
	scene(t)
	n := newNetwork(t, 11, 0)
	alice := n.ours("alice")
	doubting := n.ours("doubting", func(c *sds.Config) { c.AckFalsePositive = 1e-15 })
	bob := n.theirs("bob", options{CausalHistorySize: 1})
	a, d := alice.say("by filter"), doubting.say("by filter, doubted")
	for _, p := range []packet{a, d, bob.say("named instead"), alice.say("or this")} {
		if p.from != bob {
			bob.hear(p)
		}
		n.wait(time.Second)
	}
	witness := bob.say("bob has them")
	if len(witness.seen.History) != 1 || witness.seen.FilterBytes != 18_752 {
		t.Fatalf("%d named, a filter of %d bytes", len(witness.seen.History), witness.seen.FilterBytes)
	}
	want := []sds.Acknowledger{{ParticipantID: "bob", Certain: false}}
	alice.hear(witness)
	if s := alice.state(a.id); s.State != sds.StateAcknowledged || !slices.Equal(s.Acknowledgers, want) {
		t.Errorf("%+v", s)
	}
	doubting.hear(witness)
	s := doubting.state(d.id)
	if s.State != sds.StatePossiblyAcknowledged || !slices.Equal(s.Acknowledgers, want) || s.Probability < 0.999 {
		t.Errorf("%+v", s)
	}
	if told := about[sds.PossiblyAcknowledged](doubting); len(told) != 1 || string(told[0].MessageID) != d.id {
		t.Errorf("told %+v", told)
	}
	// A filter of theirs that does not hold a message says nothing about it.
	unheard := alice.say("bob has not heard this")
	alice.hear(bob.say("and more"))
	if s := alice.state(unheard.id); s.State != sds.StateUnacknowledged || len(s.Acknowledgers) != 0 {
		t.Errorf("%+v", s)
	}
}

// Our message names theirs: acknowledged.
func TestOurHistoryAcknowledgesTheirs(t *testing.T) {
	scene(t)
	n := newNetwork(t, 12, 0)
	alice, bob := n.ours("alice"), n.theirs("bob", options{})
	b := bob.say("did you get this?")
	bob.hear(alice.say("I did not"))
	if bob.acks[b.id] != 0 || len(bob.dump().Outgoing) != 1 {
		t.Errorf("acknowledged by a message that does not know it")
	}
	alice.hear(b)
	n.wait(time.Second)
	bob.hear(alice.say("I did"))
	if bob.acks[b.id] != 1 || len(bob.dump().Outgoing) != 0 {
		t.Errorf("told %d times, outgoing %v", bob.acks[b.id], bob.dump().Outgoing)
	}
}

// Our filter holds theirs, and our history does not name it: possibly acknowledged; the second filter makes it sure.
func TestOurFilterAcknowledgesTheirs(t *testing.T) {
	scene(t)
	n := newNetwork(t, 13, 0)
	alice, bob := n.ours("alice"), n.theirs("bob", options{})
	b := bob.say("by filter")
	alice.hear(b)
	for i := range 3 { // as many as our histories name
		n.wait(time.Second)
		alice.say(fmt.Sprint("named instead ", i))
	}
	n.wait(time.Second)
	first, second := alice.say("first witness"), alice.say("second witness")
	for _, p := range []packet{first, second} {
		if slices.ContainsFunc(p.seen.History, func(e entry) bool { return e.ID == b.id }) || p.seen.FilterBytes != 18_752 {
			t.Fatalf("names %+v, a filter of %d bytes", p.seen.History, p.seen.FilterBytes)
		}
	}
	bob.hear(first)
	if bob.told(eventPossibly, b.id) != 1 || bob.acks[b.id] != 0 || !slices.Contains(bob.sweep().Possibly, b.id) {
		t.Errorf("after one filter: %+v", bob.events)
	}
	bob.hear(second)
	if bob.acks[b.id] != 1 || len(bob.dump().Outgoing) != 0 {
		t.Errorf("after two filters: %+v", bob.events)
	}
	// Neither does ours hold what we have not.
	unheard := bob.say("alice has not heard this")
	for _, content := range []string{"three", "four", "five"} {
		bob.hear(alice.say(content))
	}
	if bob.told(eventPossibly, unheard.id) != 0 || bob.acks[unheard.id] != 0 {
		t.Errorf("acknowledged unheard: %+v", bob.events)
	}
}

// Two filters, even of one message, are enough for @waku/sds. Ours is not fooled by a replay.
func TestReplayedEvidence(t *testing.T) {
	scene(t)
	n := newNetwork(t, 14, 0)
	alice := n.ours("alice", func(c *sds.Config) {
		c.CausalHistorySize = 1
		c.AckFalsePositive = 1e-15
	})
	bob := n.theirs("bob", options{CausalHistorySize: 1})
	// Both say the second thing before they hear the first, and name it afterwards: only their filters hold the first.
	firsts := []packet{alice.say("alice, first"), bob.say("bob, first")}
	n.wait(time.Second)
	seconds := []packet{alice.say("alice, second"), bob.say("bob, second")}
	for _, ps := range [][]packet{firsts, seconds} {
		bob.hear(ps[0])
		alice.hear(ps[1])
	}
	n.wait(time.Second)
	fromAlice, fromBob := alice.say("witness of alice"), bob.say("witness of bob")
	for i := range 2 {
		bob.hear(fromAlice)
		alice.hear(fromBob)
		if got := bob.told(eventPossibly, firsts[1].id); got != 1 {
			t.Errorf("bob, heard %d times: possibly acknowledged %d times", i+1, got)
		}
	}
	shortcoming(t, "takes one message, heard twice, for two that acknowledge", bob.acks[firsts[1].id] == 0)
	if s := alice.state(firsts[0].id); s.State != sds.StatePossiblyAcknowledged {
		t.Errorf("%+v", s)
	}
}
