package reliable

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/status-im/sds-rs/go-bindings/sds"
)

func TestRateLimiter(t *testing.T) {
	l := NewRateLimiter(8, time.Minute)
	start := time.Unix(600_000_000, 0) // a whole minute
	take := func(class class, n int, at time.Time) (taken int) {
		for range n {
			if ok, again := l.take(class, at); ok {
				taken++
			} else if want := at.Truncate(l.epoch).Add(l.epoch); !again.Equal(want) {
				t.Errorf("again at %v, want %v", again, want)
			}
		}
		return taken
	}
	// Sync may use half of an epoch, repair three quarters, resends seven eighths, chat all of it.
	for _, want := range []struct {
		class class
		n     int
	}{{classSync, 4}, {classRepair, 2}, {classResend, 1}, {classChat, 1}} {
		if n := take(want.class, 10, start); n != want.n {
			t.Errorf("%v: %d, want %d", want.class, n, want.n)
		}
	}
	late := start.Add(59 * time.Second)
	if n := take(classChat, 1, late); n != 0 || l.Used(late) != 8 {
		t.Errorf("%d more, %d used", n, l.Used(late))
	}
	// A clock that is set back, and forth again, finds the epochs as it left them.
	if n := take(classChat, 10, start.Add(-5*time.Minute)); n != 8 {
		t.Errorf("%d in another epoch", n)
	}
	if n := take(classChat, 1, late); n != 0 {
		t.Error("an epoch was used twice")
	}
	next := start.Add(time.Minute)
	if n := take(classChat, 10, next); n != 8 {
		t.Errorf("%d in the next epoch", n)
	}
	l.SetUsed(7, next.Add(time.Minute))
	if n := take(classChat, 10, next.Add(time.Minute)); n != 1 {
		t.Errorf("%d after a restart", n)
	}
	// However small, everybody gets something.
	l = NewRateLimiter(0, 0)
	if n := take(classSync, 5, time.Unix(6_000, 0)); n != 1 || l.epoch != DefaultEpoch {
		t.Errorf("%d, an epoch of %v", n, l.epoch)
	}
	var none *RateLimiter
	if ok, _ := none.take(classSync, start); !ok {
		t.Error("no limiter limits")
	}
}

// With room for ten messages in ten minutes, chat goes out before resends, and what has no room waits, and is not given up.
func TestChatGoesFirstAndTheRestWaitsForTheNextEpoch(t *testing.T) {
	w := newWorld(t)
	w.now = time.Unix(1_700_000_400, 0) // an epoch begins
	start := w.now
	w.silent = true
	config := simConfig("ada")
	config.RateLimiter = NewRateLimiter(10, 0)
	ada := w.join("ada", config, ChannelOptions{})
	for i := range 6 {
		ada.say(fmt.Sprint("early ", i))
	}
	w.run(30 * time.Second) // resends use up what they may: 8 in all
	if n := len(w.envelopes); n != 8 {
		t.Errorf("%d envelopes before chat came", n)
	}
	for i := range 6 {
		ada.say(fmt.Sprint("late ", i))
	}
	w.run(time.Second)
	chatIn := func(from, to time.Time) (n int) {
		for _, e := range w.envelopes {
			if bytes.Contains(e.payload, []byte("late ")) && !e.at.Before(from) && e.at.Before(to) {
				n++
			}
		}
		return n
	}
	if n := chatIn(start, w.now); n != 2 || len(w.envelopes) != 10 {
		t.Errorf("%d of chat, %d envelopes in all", n, len(w.envelopes))
	}
	w.run(start.Add(600*time.Second - 1).Sub(w.now))
	if n := len(w.envelopes); n != 10 {
		t.Errorf("%d envelopes in an epoch of 10", n)
	}
	// The engine thinks that it resent the late ones five times meanwhile. They never went out, and are not given up.
	if ada.count("send-error") != 0 {
		t.Errorf("%v", ada.names())
	}
	second := start.Add(600 * time.Second)
	w.run(10 * time.Second)
	if n := chatIn(second, second.Add(time.Second)); n != 4 || ada.count("sent") != 12 {
		t.Errorf("%d of chat at the beginning of the next epoch, %d sent", n, ada.count("sent"))
	}
	// The limit holds over many epochs.
	w.run(2 * time.Hour)
	used := make(map[int64]int)
	for _, e := range w.envelopes {
		used[e.at.Unix()/600]++
	}
	for epoch, n := range used {
		if n > 10 {
			t.Errorf("%d envelopes in epoch %d", n, epoch)
		}
	}
	if slices.Contains(ada.names(), "send-error") {
		t.Errorf("%v", ada.names())
	}
}

// Of sync messages only the latest waits.
func TestAWaitingSyncMessageGivesWayToANewerOne(t *testing.T) {
	w := newWorld(t)
	config := simConfig("ada")
	config.RateLimiter = NewRateLimiter(1, 24*time.Hour)
	ada := w.join("ada", config, ChannelOptions{})
	bo := w.simple("bo")
	for i := range 5 {
		bo.say(fmt.Sprint(i))
		w.run(10 * time.Minute)
	}
	if n := len(w.publishedBy(ada)); n != 1 {
		t.Errorf("%d envelopes", n)
	}
	if n := ada.core.publishing.queued(); n != 1 {
		t.Fatalf("%d sync messages wait", n)
	}
	waits := ada.core.publishing.queues[classSync][0]
	inspection, err := sds.Inspect(waits.data)
	check(t, err)
	if age := w.now.UnixMilli() - int64(inspection.Timestamp); age > time.Hour.Milliseconds()/4 || inspection.MessageID != waits.id {
		t.Errorf("a sync message of %d ms ago waits", age)
	}
}
