package interop

import (
	"testing"
	"time"

	"github.com/status-im/sds-rs/go-bindings/sds"
)

// A message is lost for longer than either side waits. Ours delivers what waited and takes the lost one late. @waku/sds
// drops what waited, and the store cannot give it back.
func TestGivingUp(t *testing.T) {
	scene(t)
	n := newNetwork(t, 40, 0)
	alice := n.ours("alice", func(c *sds.Config) { c.Repair, c.DependencyTimeout = false, time.Minute })
	bob := n.theirs("bob", options{LostAfterMs: 60_000})
	lostA, lostB := alice.say("lost, alice"), bob.say("lost, bob")
	n.wait(time.Second)
	nextA, nextB := alice.say("next, alice"), bob.say("next, bob")
	bob.hear(nextA)
	alice.hear(nextB)
	n.wait(time.Minute + time.Second)

	alice.tick()
	lost := about[sds.Lost](alice)
	if len(lost) != 1 || string(lost[0].MessageID) != lostB.id || len(about[sds.Delivered](alice)) != 1 {
		t.Fatalf("lost %+v, delivered %+v", lost, about[sds.Delivered](alice))
	}
	if u := alice.hear(lostB); u.Disposition != sds.DispositionLate {
		t.Errorf("%v", u.Disposition)
	}

	bob.sweep()
	if bob.told(eventLost, lostA.id) != 1 {
		t.Errorf("%+v", bob.events)
	}
	for _, p := range []packet{lostA, nextA} {
		bob.hear(n.store[p.hint()])
	}
	bob.sweep()
	inLog := func(id string) bool {
		for _, m := range bob.log() {
			if m.ID == id {
				return true
			}
		}
		return false
	}
	if !inLog(lostA.id) {
		t.Error("not even the lost one is taken")
	}
	shortcoming(t, "drops what waited too long, and then refuses it for a duplicate (off by default)", inLog(nextA.id))
	delete(n.said, nextA.id)
	if got := bob.log(); len(got) != 3 {
		t.Errorf("bob has %d messages", len(got))
	}
	n.said[nextA.id] = nextA
	n.checkLogs(alice)
}

// A channel of the other format is not readable for @waku/sds; ours reads both, always.
func TestLibsdsChannel(t *testing.T) {
	scene(t)
	n := newNetwork(t, 41, 0)
	alice, bob := n.ours("alice"), n.theirs("bob", options{})
	m, err := sds.Open(sds.DefaultConfig())
	check(t, err)
	t.Cleanup(func() { check(t, m.Close()) })
	check(t, m.OpenChannel(room, sds.ChannelOptions{Profile: sds.ProfileLibsds}, n.now))
	w, err := m.WrapOutgoing(room, "0x11", []byte("from the Status app"), n.now)
	check(t, err)
	u, err := alice.UnwrapIncoming(w.Data, n.now)
	check(t, err)
	if u.Profile != sds.ProfileLibsds || string(u.Content) != "from the Status app" {
		t.Errorf("%+v", u)
	}
	read := bob.ask(request{Do: "receive", Packet: w.Data}).Messages
	shortcoming(t, "cannot read the format of libsds", len(read) == 1 && string(read[0].Content) == "from the Status app")
	// And the libsds channel of ours reads what they write.
	b := bob.say("from a web app")
	if u, err = m.UnwrapIncoming(b.data, n.now); err != nil || u.Profile != sds.ProfileRFC || string(u.Content) != "from a web app" {
		t.Errorf("%+v, %v", u, err)
	}
}
