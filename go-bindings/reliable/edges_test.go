package reliable

import (
	"errors"
	"testing"
	"time"
)

// An ephemeral payload is of no use later: offline it is refused, it is tried once, and few wait.
func TestEphemeralPayloadsAreNotKept(t *testing.T) {
	w := newWorld(t)
	ada := w.simple("ada")
	ada.core.setActive(false, false, w.now)
	if _, err := ada.core.sendEphemeral(ada.ch, []byte("typing"), w.now); !errors.Is(err, ErrOffline) {
		t.Errorf("offline: %v", err)
	}
	ada.core.setActive(true, false, w.now)
	for range maxEphemerals + 10 {
		_, err := ada.core.sendEphemeral(ada.ch, []byte("typing"), w.now)
		check(t, err)
	}
	if stats := ada.core.snapshot(); stats.Queued != maxEphemerals || stats.PublicationsDropped != 10 {
		t.Errorf("%d wait, %d were dropped", stats.Queued, stats.PublicationsDropped)
	}
	w.publishErr = errDown
	w.run(time.Hour)
	if stats := ada.core.snapshot(); stats.Queued != 0 || stats.PublishErrors != maxEphemerals {
		t.Errorf("%d wait after %d errors", stats.Queued, stats.PublishErrors)
	}
	w.publishErr = nil
	w.run(time.Hour)
	if len(w.envelopes) != 0 {
		t.Errorf("%d went out later", len(w.envelopes))
	}
}

// lockedOut has no key yet.
type lockedOut struct{}

func (lockedOut) Encrypt([]byte) ([]byte, error)       { return nil, errors.New("no key yet") }
func (lockedOut) Decrypt(bytes []byte) ([]byte, error) { return bytes, nil }

// A channel without a key holds up no other, and uses up nothing of the limit.
func TestAChannelThatCannotEncryptPausesAlone(t *testing.T) {
	w := newWorld(t)
	config := simConfig("ada")
	config.RateLimiter = NewRateLimiter(100, 600*time.Second)
	ada := w.join("ada", config, ChannelOptions{})
	options := ChannelOptions{Encryption: lockedOut{}}
	check(t, options.complete(&ada.core.config))
	locked, err := ada.core.openChannel("locked", "/test/1/locked/proto", options, w.now)
	check(t, err)
	for range 10 {
		_, err := ada.core.send(locked, []byte("secret"), nil, w.now)
		check(t, err)
	}
	w.run(time.Millisecond)
	start := w.now
	ada.say("hello")
	w.until(20*time.Minute, "sent", func() bool { return ada.count("sent") > 0 })
	if waited := w.now.Sub(start); waited > time.Second {
		t.Errorf("the other channel waited %v", waited)
	}
	if used := config.RateLimiter.Used(w.now); used != 1 {
		t.Errorf("%d of the limit are used for one message", used)
	}
}

// What still waits behind the rate limit to be resent has not been resent in vain.
func TestResendsBehindTheLimitAreNotExhausted(t *testing.T) {
	w := newWorld(t)
	config := simConfig("ada")
	config.RateLimiter = NewRateLimiter(8, 600*time.Second)
	ada := w.join("ada", config, ChannelOptions{})
	for range 8 {
		ada.say("hello")
	}
	w.run(390 * time.Second) // the next epoch of the limit begins after 400 s
	if resent := ada.core.stats.Published.Resend; resent != 0 || ada.count("delivery-error") != 0 {
		t.Errorf("%d were resent, and %d given up", resent, ada.count("delivery-error"))
	}
}

// A message that is here, and waits, is not missing, whoever names it after a restart.
func TestWhatWaitsIsNotMissingAfterARestart(t *testing.T) {
	w := newWorld(t)
	ada := w.simple("ada")
	var ids []RequestID
	for range 5 {
		ids = append(ids, ada.say("hello"))
	}
	ada.pump()
	sent := w.envelopes
	config := simConfig("bo")
	config.StorePath = t.TempDir() + "/bo.db"
	bo := w.join("bo", config, ChannelOptions{})
	receive := func(i int) {
		bo.core.receive(bo.ch, Message{Hash: []byte{byte(i)}, Payload: sent[i].payload}, false, w.now)
		bo.read()
	}
	receive(3)
	receive(2)
	bo.leave()
	bo = w.join("bo", config, ChannelOptions{})
	bo.read()
	receive(4)
	for _, event := range bo.find("missing") {
		if id := RequestID(event.(Missing).MessageID); id == ids[2] || id == ids[3] {
			t.Errorf("%s is here", id)
		}
	}
}
