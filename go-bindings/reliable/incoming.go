package reliable

import (
	"bytes"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/status-im/sds-rs/go-bindings/sds"
)

// heldBytes is an SDS message that the engine could not take in yet.
type heldBytes struct {
	data, hash []byte
	fetched    bool
}

// receive takes in what the network or the store brought.
func (c *core) receive(ch *channelState, m Message, fetched bool, now time.Time) {
	c.stats.Received++
	payload := m.Payload
	if !ch.options.Untagged {
		var tagged bool
		if payload, tagged = cutTag(payload); !tagged {
			c.stats.Untagged++
			return
		}
	}
	if ch.options.Encryption != nil {
		plain, err := ch.options.Encryption.Decrypt(payload)
		if err != nil {
			c.stats.Undecryptable++
			return
		}
		payload = plain
	}
	if !fetched && c.topics[ch.topic] > 1 && c.isForAnother(ch, payload) {
		return
	}
	c.unwrap(ch, heldBytes{data: payload, hash: bytes.Clone(m.Hash), fetched: fetched}, now)
	c.settle(now)
}

// isForAnother is true for a message of another channel that has the same topic: that one gets it from a subscription of its
// own, when it has room.
func (c *core) isForAnother(ch *channelState, data []byte) bool {
	inspection, err := sds.Inspect(data)
	if err != nil || inspection.ChannelID == ch.id {
		return false
	}
	other := c.channels[inspection.ChannelID]
	return other != nil && other.topic == ch.topic
}

// unwrap gives bytes to the engine; false if it had no room and they are held.
func (c *core) unwrap(ch *channelState, b heldBytes, now time.Time) bool {
	u, err := c.manager.UnwrapIncoming(b.data, now)
	if errors.Is(err, sds.ErrOutputsFull) {
		c.settle(now)
		u, err = c.manager.UnwrapIncoming(b.data, now)
	}
	switch {
	case err == nil:
		c.took(u, b, now)
		return true
	case errors.Is(err, sds.ErrOutputsFull), errors.Is(err, sds.ErrUnconfirmed), errors.Is(err, sds.ErrStoreFailed):
		// The call that notices that a store fails took the message in, those after it did not. A second time does no harm.
		b.data = bytes.Clone(b.data)
		ch.held = append(ch.held, b)
		c.engine(err, now)
		return false
	case refusesBytes(err):
		c.stats.Refused++
		c.log.Debug("refused", zap.String("channel", ch.id), zap.Error(err))
	default:
		c.engine(err, now)
	}
	return true
}

// refusesBytes is true if what came was at fault: traffic of another kind or channel, or broken.
func refusesBytes(err error) bool {
	for _, status := range []sds.Status{
		sds.ErrNotSDS, sds.ErrMalformed, sds.ErrUnknownChannel, sds.ErrTooLarge, sds.ErrInvalidID, sds.ErrNotUTF8,
		sds.ErrIDMismatch,
	} {
		if errors.Is(err, status) {
			return true
		}
	}
	return false
}

// takeHeld gives the engine again what it had no room for.
func (c *core) takeHeld(ch *channelState, now time.Time) {
	if len(ch.held) == 0 || now.Before(c.storeAfter) {
		return
	}
	held := ch.held
	ch.held = nil
	for i, b := range held {
		if !c.unwrap(ch, b, now) {
			ch.held = append(ch.held, held[i+1:]...)
			return
		}
		c.settle(now)
	}
}

// took acts on a message that the engine took in, for the channel that it names.
func (c *core) took(u sds.Unwrapped, b heldBytes, now time.Time) {
	ch := c.channels[u.ChannelID]
	if ch == nil {
		return
	}
	ch.dirty = true
	if c.unwant(ch, u.MessageID) {
		c.stats.Recovered++
		c.emit(ch, Recovered{MessageID: u.MessageID, Fetched: b.fetched})
	}
	m := incoming{
		id: u.MessageID, sender: u.SenderID, timestamp: u.Timestamp, content: u.Content, own: u.Own,
		pending: u.Disposition == sds.DispositionWaiting, late: u.Disposition == sds.DispositionLate,
		ephemeral: u.Disposition == sds.DispositionEphemeral,
	}
	switch u.Disposition {
	case sds.DispositionDelivered, sds.DispositionBeforeUs, sds.DispositionLate:
		c.setHint(ch, u.MessageID, b.hash)
		c.deliver(ch, m, now)
	case sds.DispositionWaiting:
		ch.waiting[u.MessageID] = true
		c.setHint(ch, u.MessageID, b.hash)
		c.deliver(ch, m, now)
	case sds.DispositionEphemeral:
		c.deliver(ch, m, now)
	}
	// What is new among them is told by sds.Missing; what is here and waits itself is not missing.
	for _, entry := range u.Unmet {
		if ch.wanted[entry.MessageID] != nil {
			c.want(ch, entry, now) // it may bring another hint
		}
	}
}

// deliver offers a payload, or keeps the segment that it is.
func (c *core) deliver(ch *channelState, m incoming, now time.Time) {
	event := m.event(RequestID(m.id), m.content)
	if ch.segments != nil {
		event = ch.segments.add(m, now)
	}
	if event != nil {
		c.stats.Payloads++
		c.emit(ch, event)
	}
}
