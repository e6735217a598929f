package reliable

import (
	"fmt"
	"testing"
	"time"

	"github.com/status-im/sds-rs/go-bindings/sds"
)

// In the background no timer runs and nothing goes out, whatever waits; afterwards it all does, and what was missed is
// fetched at once.
func TestPauseAndResume(t *testing.T) {
	w := newWorld(t)
	ada, bo := w.simple("ada"), w.simple("bo")
	bo.core.setActive(true, true, w.now)
	bo.deaf = true
	bo.say("said in the background")
	before := len(w.publishedBy(bo))
	for i := range 6 {
		ada.say(fmt.Sprint(i))
		w.run(time.Minute)
	}
	if n := len(w.publishedBy(bo)); n != before || bo.count("sent") != 0 {
		t.Errorf("%d envelopes were published while paused", n-before)
	}
	if next, ok := bo.core.next(); ok {
		t.Errorf("a timer is set for %v while paused", next)
	}
	// Hours later: no resend was counted, nothing was given up.
	w.now = w.now.Add(5 * time.Hour)
	bo.deaf = false
	bo.core.setActive(true, false, w.now)
	ada.say("heard")
	w.until(10*time.Second, "caught up", func() bool { return len(bo.payloads()) == 7 })
	w.until(time.Minute, "delivered", func() bool { return bo.count("delivered") == 1 })
	bo.expect("sent", "delivered")
	if bo.count("lost")+bo.count("delivery-error") != 0 {
		t.Errorf("%v", bo.names())
	}
}

// What comes and goes in the background leaves nothing behind, and what is still missing afterwards is asked for.
func TestWhatIsMissedWhilePausedIsBounded(t *testing.T) {
	w := newWorld(t)
	bo := w.simple("bo")
	bo.core.setActive(true, true, w.now)
	for i := range 1_000 {
		id := sds.MessageID(fmt.Sprint(i))
		bo.core.want(bo.ch, sds.HistoryEntry{MessageID: id, RetrievalHint: []byte("hash")}, w.now)
		if i > 0 {
			bo.core.unwant(bo.ch, id)
		}
	}
	if n := bo.core.fetching.agenda.Len(); n > 1 {
		t.Errorf("%d appointments for one message", n)
	}
	bo.core.setActive(true, false, w.now)
	if asked, _ := bo.core.nextFetch(w.now); len(asked) != 1 {
		t.Errorf("asked for %q", asked)
	}
}

func TestOfflineTimeIsNoTime(t *testing.T) {
	w := newWorld(t)
	ada, bo := w.simple("ada"), w.simple("bo")
	ada.core.setActive(false, false, w.now)
	ada.say("written offline")
	w.run(3 * time.Hour)
	if len(w.publishedBy(ada)) != 0 || len(ada.names()) != 0 {
		t.Errorf("%d envelopes, events %v", len(w.envelopes), ada.names())
	}
	ada.core.setActive(true, false, w.now)
	w.until(time.Minute, "delivered", func() bool { return ada.count("delivered") == 1 })
	ada.expect("sent", "delivered")
	bo.expect("received")
}

// A pause after failures ends when the network is back.
func TestBackOnlineEverythingMissingIsAskedForAtOnce(t *testing.T) {
	w := newWorld(t)
	w.storeDown = true
	_, bo := missed(w, 3)
	w.run(50 * time.Millisecond)
	w.silent = true
	w.run(20 * time.Second)
	w.storeDown = false
	if bo.core.fetching.notBefore.Sub(w.now) < 2*time.Second {
		t.Fatal("it should pause")
	}
	bo.core.setActive(false, false, w.now)
	bo.core.setActive(true, false, w.now)
	n := len(w.queries)
	bo.pump()
	if len(w.queries) != n+1 {
		t.Errorf("%d queries at once", len(w.queries)-n)
	}
	w.until(5*time.Second, "caught up", func() bool { return len(bo.payloads()) == 4 })
}
