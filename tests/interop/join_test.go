package interop

import (
	"fmt"
	"testing"
	"time"

	"github.com/status-im/sds-rs/go-bindings/sds"
)

// Two have talked for a while when others join. What the newcomers missed comes from the store, link by link if only a
// few messages are named; or they begin from now.
func TestJoiningLate(t *testing.T) {
	scene(t)
	n := newNetwork(t, 50, 0)
	alice, bob := n.ours("alice"), n.theirs("bob", options{})
	for i := range 20 {
		bob.hear(alice.say(fmt.Sprint("alice ", i)))
		n.wait(time.Second)
		alice.hear(bob.say(fmt.Sprint("bob ", i)))
		n.wait(time.Second)
	}

	fromNow := n.oursIn("from now", sds.ChannelOptions{FromNow: true})
	carol, dave := n.ours("carol"), n.theirs("dave", options{})
	n.storeOpen = true
	last := bob.say("welcome")
	if len(last.seen.History) != 40 {
		t.Fatalf("bob names %d", len(last.seen.History))
	}
	if u := fromNow.hear(last); u.Disposition != sds.DispositionBeforeUs || len(u.Unmet) != 40 {
		t.Errorf("%v, %d unmet", u.Disposition, len(u.Unmet))
	}
	if before, missing := about[sds.BeforeUs](fromNow), about[sds.Missing](fromNow); len(before) != 40 || len(missing) != 0 {
		t.Errorf("%d before us, %d missing", len(before), len(missing))
	}
	if u := carol.hear(last); u.Disposition != sds.DispositionWaiting || len(u.Unmet) != 40 {
		t.Errorf("%v, %d unmet", u.Disposition, len(u.Unmet))
	}
	alice.hear(last)
	n.wait(time.Second)
	welcome := alice.say("welcome, from alice")
	if len(welcome.seen.History) != 3 {
		t.Fatalf("alice names %d", len(welcome.seen.History))
	}
	dave.hear(welcome)
	for _, h := range []host{bob, carol, fromNow} {
		h.take(welcome)
	}
	n.until("caught up", func() bool { return len(carol.log()) == len(n.said) && len(dave.log()) == len(n.said) })
	n.checkLogs(alice, bob, carol, dave)
	if log := fromNow.log(); len(log) != 2 || log[0].ID != last.id || log[1].ID != welcome.id {
		t.Errorf("whoever began from now has %+v", log)
	}
}
