package reliable

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/status-im/sds-rs/go-bindings/sds"
)

// publishedBy counts what a participant put on the network.
func (w *world) publishedBy(p *peer) (envelopes []sent) {
	for _, e := range w.envelopes {
		if e.from == p {
			envelopes = append(envelopes, e)
		}
	}
	return envelopes
}

func TestSendReturnsTheIDBeforeAnythingIsPublished(t *testing.T) {
	w := newWorld(t)
	ada, bo := w.simple("ada"), w.simple("bo")
	id := ada.say("hello")
	if id == "" || len(w.envelopes) != 0 {
		t.Fatalf("id %q, %d envelopes", id, len(w.envelopes))
	}
	w.until(time.Minute, "delivered", func() bool { return ada.count("delivered") == 1 })
	ada.expect("sent", "delivered")
	bo.expect("received")
	if m := bo.shown[id]; string(m.Payload) != "hello" || m.SenderID != "ada" || m.Timestamp == 0 {
		t.Errorf("bo got %+v", m)
	}
	if e := w.envelopes[0]; e.topic != "/test/1/room/proto" || !bytes.HasPrefix(e.payload, []byte("RELIABLE-CHANNEL-API/1")) {
		t.Errorf("topic %q, payload %.30q", e.topic, e.payload)
	}
	if status, err := ada.core.manager.MessageStatus("room", sds.MessageID(id)); err != nil || len(status.Acknowledgers) != 1 {
		t.Errorf("%+v, %v", status, err)
	}
}

// A node drops an envelope that equals a recent one: with the same bytes, only the timestamp makes a difference.
func TestResendsHaveFreshTimestampsAndEndInADeliveryError(t *testing.T) {
	w := newWorld(t)
	w.silent = true
	ada := w.simple("ada")
	config := simConfig("ada")
	id := ada.say("anybody?")
	w.until(10*time.Minute, "given up", func() bool { return ada.count("delivery-error") > 0 })
	ada.expect("sent", "delivery-error")
	content := func() (same []sent) {
		for _, e := range w.envelopes {
			if bytes.Equal(e.payload, w.envelopes[0].payload) {
				same = append(same, e)
			}
		}
		return same
	}
	all := content()
	if len(all) != 1+config.SDS.MaxResends {
		t.Errorf("published %d times", len(all))
	}
	pause := time.Duration(0)
	for i := 1; i < len(all); i++ {
		if !all[i].timestamp.After(all[i-1].timestamp) {
			t.Errorf("envelope %d has timestamp %v after %v", i, all[i].timestamp, all[i-1].timestamp)
		}
		if gap := all[i].at.Sub(all[i-1].at); gap <= pause {
			t.Errorf("resend %d came after %v, no longer than the one before", i, gap)
		} else {
			pause = gap
		}
	}
	// It can be tried again, and then somebody is there.
	bo := w.simple("bo")
	w.silent = false
	check(t, ada.core.retry(ada.ch, id, w.now))
	w.until(time.Minute, "delivered", func() bool { return ada.count("delivered") == 1 })
	ada.expect("sent", "delivery-error", "delivered")
	bo.expect("received")
}

// Two resends that are due at the same instant are two envelopes.
func TestNoTwoEnvelopesHaveTheSameTimestamp(t *testing.T) {
	w := newWorld(t)
	ada := w.simple("ada")
	for range 50 {
		ada.say("x")
	}
	w.run(time.Second)
	seen := make(map[time.Time]bool)
	for _, e := range w.envelopes {
		seen[e.timestamp] = true
	}
	if len(w.envelopes) != 50 || len(seen) != 50 {
		t.Errorf("%d envelopes, %d timestamps", len(w.envelopes), len(seen))
	}
}

func TestALateAcknowledgementIsTold(t *testing.T) {
	w := newWorld(t)
	ada, bo := w.simple("ada"), w.simple("bo")
	bo.deaf = true
	ada.say("one")
	w.until(10*time.Minute, "given up", func() bool { return ada.count("delivery-error") > 0 })
	bo.deaf = false
	ada.say("two") // names the first, which bo then fetches
	w.until(10*time.Minute, "delivered", func() bool { return ada.count("delivered") == 2 })
	ada.expect("sent", "delivery-error", "sent", "delivered", "delivered")
	bo.expect("received", "received", "ready")
}

func TestANodeThatFailsIsTriedAgainAndThenTold(t *testing.T) {
	w := newWorld(t)
	ada, bo := w.simple("ada"), w.simple("bo")
	w.publishErr = errDown
	id := ada.say("hello")
	w.run(2 * time.Second)
	w.publishErr = nil
	w.until(time.Minute, "sent", func() bool { return ada.count("sent") == 1 })
	if s := ada.core.stats; s.PublishErrors == 0 || s.SendErrors != 0 || s.Published.Chat != 1 {
		t.Errorf("%+v", s)
	}
	w.until(time.Minute, "delivered", func() bool { return ada.count("delivered") == 1 })
	ada.expect("problem", "sent", "delivered")

	w.publishErr = errDown
	id = ada.say("and again")
	w.until(time.Minute, "given up", func() bool { return ada.count("send-error") == 1 })
	if e := ada.find("send-error")[0].(SendError); e.RequestID != id || !errors.Is(e.Err, errDown) {
		t.Errorf("%+v", e)
	}
	errorsThen := ada.core.stats.PublishErrors
	if errorsThen < uint64(ada.core.config.PublishAttempts) {
		t.Errorf("%d attempts", errorsThen)
	}
	if n := ada.core.publishing.queued(); n != 0 || ada.count("delivery-error") != 0 {
		t.Errorf("%d wait, events %v", n, ada.names())
	}
	w.publishErr = nil
	check(t, ada.core.retry(ada.ch, id, w.now))
	w.until(time.Minute, "delivered", func() bool { return ada.count("delivered") == 2 })
	ada.expect("sent", "delivered", "send-error", "sent", "delivered")
	bo.expect("received", "received")
}

// Who learns of a payload that was never dispatched asks for it, and gets it.
func TestASendErrorHealsIfOthersAskForIt(t *testing.T) {
	w := newWorld(t)
	ada, bo := w.simple("ada"), w.simple("bo")
	w.publishErr = errDown
	ada.say("hello")
	w.until(time.Minute, "given up", func() bool { return ada.count("send-error") == 1 })
	w.publishErr = nil
	ada.say("again")
	w.until(10*time.Minute, "delivered", func() bool { return ada.count("delivered") == 2 })
	ada.expect("send-error", "sent", "delivered", "sent", "delivered")
	bo.expect("received", "received", "ready")
}

func TestACancelledPayloadIsNotSent(t *testing.T) {
	w := newWorld(t)
	ada, bo := w.simple("ada"), w.simple("bo")
	id := ada.say("oops")
	check(t, ada.core.cancel(ada.ch, id, w.now))
	w.run(10 * time.Minute)
	if len(bo.shown) != 0 || ada.count("sent")+ada.count("delivery-error")+ada.count("send-error") != 0 {
		t.Errorf("bo has %d, ada's events are %v", len(bo.shown), ada.names())
	}
}

// A payload is given up once, however often that is said, and is forgotten as such when it is sent again or somebody has it.
func TestAPayloadIsGivenUpOnce(t *testing.T) {
	w := newWorld(t)
	ada, bo := w.simple("ada"), w.simple("bo")
	ada.core.setActive(false, false, w.now)
	id := ada.say("oops")
	for range 3 {
		check(t, ada.core.cancel(ada.ch, id, w.now))
	}
	if !slices.Equal(ada.ch.failed, []RequestID{id}) {
		t.Errorf("given up: %v", ada.ch.failed)
	}
	for range 3 {
		check(t, ada.core.retry(ada.ch, id, w.now))
		if len(ada.ch.failed) != 0 {
			t.Errorf("given up while it is sent again: %v", ada.ch.failed)
		}
		check(t, ada.core.cancel(ada.ch, id, w.now))
	}
	if len(ada.ch.failed) != 1 {
		t.Errorf("given up: %v", ada.ch.failed)
	}
	// It turns out that somebody has it.
	ada.core.acknowledged(ada.ch, sds.MessageID(id))
	ada.core.settle(w.now)
	if ada.pump(); len(ada.ch.failed)+len(ada.ch.requests) != 0 || len(bo.shown) != 0 {
		t.Errorf("given up: %v", ada.ch.failed)
	}
	ada.expect("sent", "delivered")
}

func TestEphemeralPayloadsAreDeliveredOnceOrNot(t *testing.T) {
	w := newWorld(t)
	ada, bo := w.simple("ada"), w.simple("bo")
	id, err := ada.core.sendEphemeral(ada.ch, []byte("typing"), w.now)
	check(t, err)
	w.run(time.Minute)
	if e, ok := bo.find("received")[0].(Received); !ok || !e.Ephemeral || e.MessageID != id || string(e.Payload) != "typing" {
		t.Errorf("%+v", bo.events)
	}
	w.silent = true
	_, err = ada.core.sendEphemeral(ada.ch, []byte("typing"), w.now)
	check(t, err)
	w.run(10 * time.Minute)
	if len(bo.shown) != 1 || ada.count("sent")+ada.count("delivery-error") != 0 {
		t.Errorf("%v, %v", bo.names(), ada.names())
	}
}

func TestWhatCannotBeSentIsRefused(t *testing.T) {
	w := newWorld(t)
	ada := w.simple("ada")
	if _, err := ada.trySay(nil); !errors.Is(err, sds.ErrEmptyContent) {
		t.Error(err)
	}
	if _, err := ada.trySay(make([]byte, 2<<20)); !errors.Is(err, sds.ErrTooLarge) {
		t.Error(err)
	}
	if len(ada.ch.parts)+len(ada.ch.requests)+ada.core.publishing.queued() != 0 {
		t.Error("something was left behind")
	}
}

// A node may say that it could not publish, and have done so: then an acknowledgement tells better.
func TestAnAcknowledgementTellsThatItWasDispatched(t *testing.T) {
	w := newWorld(t)
	ada, bo := w.simple("ada"), w.simple("bo")
	w.lies = true
	ada.say("hello")
	w.until(time.Minute, "received", func() bool { return bo.count("received") == 1 })
	bo.say("hi")
	w.until(time.Minute, "delivered", func() bool { return ada.count("delivered") == 1 })
	ada.expect("sent", "delivered")
	if ada.core.publishing.queued() > 1 { // a sync message may wait
		t.Error("what is acknowledged still waits to be published")
	}
}

func TestGivenUpRequestsAreRememberedUpToALimit(t *testing.T) {
	w := newWorld(t)
	ada := w.simple("ada")
	for i := range 3 * maxFailed {
		r := &request{id: RequestID(fmt.Sprint(i))}
		ada.ch.track(r, sds.MessageID(fmt.Sprint(i)), false, true)
		ada.core.fail(ada.ch, r)
	}
	if len(ada.ch.requests) != maxFailed || len(ada.ch.parts) != maxFailed || ada.ch.requests["0"] != nil {
		t.Errorf("%d requests, %d parts", len(ada.ch.requests), len(ada.ch.parts))
	}
	// One that was forgotten has only its id.
	ada.core.acknowledged(ada.ch, "0")
	ada.core.settle(w.now)
	ada.pump()
	ada.expect("delivered")
}

// Of a payload in segments only part of which was acknowledged, what is missing is sent again.
func TestRetryOfALargePayload(t *testing.T) {
	w := newWorld(t)
	ada, bo := w.join("ada", simConfig("ada"), segmented(small)), w.join("bo", simConfig("bo"), segmented(small))
	w.silent = true
	id, err := ada.trySay(randomBytes(1, 3_000))
	check(t, err)
	w.until(time.Hour, "given up", func() bool { return ada.count("delivery-error") == 1 })
	w.silent = false
	check(t, ada.core.retry(ada.ch, id, w.now))
	w.until(time.Minute, "delivered", func() bool { return ada.count("delivered") == 1 && len(bo.payloads()) == 1 })
	ada.expect("sent", "delivery-error", "delivered")
	if err := ada.core.retry(ada.ch, "never heard of", w.now); !errors.Is(err, sds.ErrUnknownMessage) {
		t.Error(err)
	}
}
