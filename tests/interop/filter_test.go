package interop

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/status-im/sds-rs/go-bindings/sds"
)

// Of the same messages both sides make the same filter, bit for bit, whatever they are called.
func TestEqualFilters(t *testing.T) {
	scene(t)
	n := newNetwork(t, 70, 0)
	alice, bob := n.ours("alice"), n.theirs("bob", options{CausalHistorySize: 1})
	odd := []string{"a", "é", "日本語", "🌍", "a 🌍, and é", strings.Repeat("long", 64), "0x" + strings.Repeat("5a", 32)}
	for _, id := range odd {
		bob.hear(alice.sayAs(sds.MessageID(id), "this is "+id))
		n.wait(time.Second)
	}
	for i := range 100 {
		bob.hear(alice.say(fmt.Sprint("alice ", i)))
		alice.hear(bob.say(fmt.Sprint("bob ", i)))
		n.wait(time.Second)
	}
	ours, theirs := alice.say("the filter of alice"), bob.say("the filter of bob")
	read := bob.hear(ours)
	if len(read.Filter) == 0 || string(read.Filter) != string(theirs.seen.Filter) {
		t.Error("the filters differ")
	}
	// Their filter acknowledged ours, whatever they are called: bob's histories name one message only.
	alice.hear(theirs)
	for _, id := range odd {
		if s := alice.state(id); s.State != sds.StateAcknowledged {
			t.Errorf("%q: %+v", id, s)
		}
	}
	n.checkLogs(alice, bob)
}
