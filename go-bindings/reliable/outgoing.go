package reliable

import (
	"errors"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/status-im/sds-rs/go-bindings/sds"
)

// maxFailed is how many requests that were given up are remembered, per channel, so that they can be told by their id should
// an acknowledgement come late.
const maxFailed = 1_024

var errNobody = errors.New("nobody acknowledged it")

// request is a payload of ours that is not known to be delivered.
type request struct {
	id    RequestID
	parts []sds.MessageID
	// unsent counts its messages that were never dispatched; unacknowledged those, parity apart, that nobody is known to have.
	unsent, unacknowledged int
	failed, delivered      bool
	// cancelled: not a byte of it goes out any more, whoever asks.
	cancelled bool
}

// part is a message of a request.
type part struct {
	request    *request
	parity     bool
	dispatched bool
}

// requestOf is the request that a message belongs to.
func (ch *channelState) requestOf(id sds.MessageID) RequestID {
	if part := ch.parts[id]; part != nil {
		return part.request.id
	}
	return RequestID(id)
}

// track begins to watch a message of a request.
func (ch *channelState) track(r *request, id sds.MessageID, parity, dispatched bool) {
	r.parts = append(r.parts, id)
	if !dispatched {
		r.unsent++
	}
	if !parity {
		r.unacknowledged++
	}
	ch.parts[id] = &part{request: r, parity: parity, dispatched: dispatched}
	ch.requests[r.id] = r
}

// send wraps a payload and leaves it to be published.
func (c *core) send(ch *channelState, payload, setID []byte, now time.Time) (RequestID, error) {
	if len(payload) == 0 {
		return "", &sds.Error{Status: sds.ErrEmptyContent, Detail: "the payload is empty"}
	}
	if !ch.events.room() {
		return "", ErrEventsUnread
	}
	if !c.commit(now) {
		return "", ErrNotStored
	}
	segments := []*segment{nil}
	if ch.segments != nil {
		var err error
		if segments, err = ch.options.Segmentation.split(payload, setID); err != nil {
			return "", &sds.Error{Status: sds.ErrTooLarge, Detail: err.Error()}
		}
	}
	if err := c.roomFor(ch, len(segments)); err != nil {
		return "", err
	}
	wrapped, err := c.wrapAll(ch, payload, segments, now)
	if err != nil {
		return "", err
	}
	r := &request{id: RequestID(wrapped[0].MessageID)}
	if len(segments) > 1 {
		r.id = segments[0].id()
	}
	for i, w := range wrapped {
		ch.track(r, w.MessageID, segments[i] != nil && segments[i].parity, false)
		if !w.Held {
			c.enqueue(ch, w.MessageID, classChat, sds.ReasonPublish, w.Data)
		}
	}
	ch.dirty = true
	c.log.Debug("send", zap.String("channel", ch.id), zap.String("request", string(r.id)), zap.Int("messages", len(wrapped)))
	c.settle(now)
	if !c.commit(now) {
		return r.id, ErrNotStored
	}
	return r.id, nil
}

// roomFor refuses a payload of which some messages would be wrapped and others not.
func (c *core) roomFor(ch *channelState, messages int) error {
	if messages == 1 {
		return nil // the engine refuses it as a whole
	}
	status, err := c.manager.ChannelStatus(ch.id)
	if err == nil && status.Unacknowledged+uint64(messages) > uint64(c.config.SDS.MaxUnacknowledged) {
		err = &sds.Error{Status: sds.ErrTooManyUnacknowledged, Detail: "too many segments for what still waits to be acknowledged"}
	}
	return err
}

func (c *core) wrapAll(ch *channelState, payload []byte, segments []*segment, now time.Time) ([]sds.Wrapped, error) {
	wrapped := make([]sds.Wrapped, 0, len(segments))
	for _, s := range segments {
		content := payload
		if s != nil {
			content = s.encode()
		}
		w, err := c.manager.WrapOutgoing(ch.id, "", content, now)
		if errors.Is(err, sds.ErrOutputsFull) {
			c.settle(now)
			w, err = c.manager.WrapOutgoing(ch.id, "", content, now)
		}
		if err != nil {
			// Nobody has seen those before it. They stay in the log, and are not sent.
			for _, w := range wrapped {
				_ = c.manager.Cancel(ch.id, w.MessageID, now)
			}
			c.settle(now)
			return nil, err
		}
		wrapped = append(wrapped, w)
	}
	return wrapped, nil
}

// sendEphemeral wraps a payload that is delivered at once, or not at all.
func (c *core) sendEphemeral(ch *channelState, payload []byte, now time.Time) (RequestID, error) {
	if !c.active() {
		return "", ErrOffline
	}
	content := payload
	if ch.segments != nil && len(payload) > 0 {
		segments, err := ch.options.Segmentation.split(payload, nil)
		if err == nil && len(segments) > 1 {
			err = errors.New("an ephemeral payload must fit into one segment")
		}
		if err != nil {
			return "", &sds.Error{Status: sds.ErrTooLarge, Detail: err.Error()}
		}
		content = segments[0].encode()
	}
	w, err := c.manager.WrapEphemeral(ch.id, "", content, now)
	if err != nil {
		return "", err
	}
	c.enqueueEphemeral(ch, w.MessageID, w.Data)
	c.settle(now)
	return RequestID(w.MessageID), nil
}

// dispatched notes that a message went out.
func (c *core) dispatched(ch *channelState, id sds.MessageID) {
	part := ch.parts[id]
	if part == nil || part.dispatched {
		return
	}
	part.dispatched = true
	if part.request.unsent--; part.request.unsent == 0 {
		c.stats.Sent++
		c.emit(ch, Sent{RequestID: part.request.id})
	}
}

// acknowledged notes that somebody has a message.
func (c *core) acknowledged(ch *channelState, id sds.MessageID) {
	if p := c.publishing.of(ch, id); p != nil && p.class <= classResend {
		c.dequeue(p)
	}
	part := ch.parts[id]
	if part == nil {
		// Of a former process, or so long ago that it was forgotten as given up.
		c.stats.Delivered++
		c.emit(ch, Delivered{RequestID: RequestID(id)})
		return
	}
	c.dispatched(ch, id) // it must have been, whatever the node said
	delete(ch.parts, id)
	r := part.request
	if part.parity || r.delivered {
		return
	}
	if r.unacknowledged--; r.unacknowledged == 0 {
		r.delivered = true
		ch.notFailed(r)
		delete(ch.requests, r.id)
		c.stats.Delivered++
		c.emit(ch, Delivered{RequestID: r.id})
	}
}

// givenUp notes that the engine resends a message no more.
func (c *core) givenUp(ch *channelState, id sds.MessageID, probability float64, now time.Time) {
	part := ch.parts[id]
	waiting := c.publishing.of(ch, id)
	if part != nil && part.dispatched && waiting != nil && waiting.class == classResend && waiting.attempts == 0 &&
		waiting != c.publishing.inFlight {
		// Its resends were counted and did not go out: they wait behind the rate limit. They begin anew.
		c.engine(c.manager.Retry(ch.id, id, now), now)
		return
	}
	if part != nil && !part.dispatched {
		if waiting != nil && waiting.attempts > 0 {
			c.neverDispatched(ch, id, errNobody, now)
			return
		}
		// It was never tried: it waits behind the rate limit, or its resends were those of a former process. They begin now.
		c.engine(c.manager.Retry(ch.id, id, now), now)
		return
	}
	requestID := ch.requestOf(id)
	if part != nil {
		r := part.request
		if part.parity || r.delivered {
			delete(ch.parts, id)
			return
		}
		if r.failed {
			return
		}
		c.fail(ch, r)
	}
	c.stats.DeliveryErrors++
	c.emit(ch, DeliveryError{RequestID: requestID, Probability: probability, Err: errNobody})
	c.log.Warn("delivery-error", zap.String("channel", ch.id), zap.String("request", string(requestID)))
}

// neverDispatched gives a request up of which not everything was dispatched.
func (c *core) neverDispatched(ch *channelState, id sds.MessageID, err error, now time.Time) {
	r := ch.parts[id].request
	for _, id := range r.parts {
		if part := ch.parts[id]; part != nil && !part.dispatched {
			if p := c.publishing.of(ch, id); p != nil {
				c.dequeue(p)
			}
			_ = c.manager.Cancel(ch.id, id, now)
		}
	}
	if r.failed || r.delivered {
		return
	}
	c.fail(ch, r)
	c.stats.SendErrors++
	c.emit(ch, SendError{RequestID: r.id, Err: err})
	c.log.Warn("send-error", zap.String("channel", ch.id), zap.String("request", string(r.id)), zap.Error(err))
}

// fail remembers a request as given up, and forgets the oldest of too many.
func (c *core) fail(ch *channelState, r *request) {
	if r.failed {
		return // it is remembered, and must not take the place of another
	}
	r.failed = true
	ch.failed = append(ch.failed, r.id)
	if len(ch.failed) <= maxFailed {
		return
	}
	if old := ch.requests[ch.failed[0]]; old != nil && old.failed {
		for _, id := range old.parts {
			delete(ch.parts, id)
		}
		delete(ch.requests, old.id)
	}
	ch.failed = ch.failed[1:]
}

// notFailed notes that a request is not given up, or no longer.
func (ch *channelState) notFailed(r *request) {
	if r.failed {
		r.failed = false
		ch.failed = slices.DeleteFunc(ch.failed, func(id RequestID) bool { return id == r.id })
	}
}

// retry sends a request again.
func (c *core) retry(ch *channelState, id RequestID, now time.Time) error {
	if !ch.events.room() {
		return ErrEventsUnread
	}
	r := ch.requests[id]
	if r == nil {
		err := c.manager.Retry(ch.id, sds.MessageID(id), now)
		c.settle(now)
		return err
	}
	ch.notFailed(r)
	r.cancelled = false
	var failed error
	for _, id := range r.parts {
		if ch.parts[id] == nil {
			continue // somebody has it
		}
		if err := c.manager.Retry(ch.id, id, now); err != nil {
			failed = err
		}
	}
	c.settle(now)
	return failed
}

// cancel stops sending a request.
func (c *core) cancel(ch *channelState, id RequestID, now time.Time) error {
	ids := []sds.MessageID{sds.MessageID(id)}
	if r := ch.requests[id]; r != nil {
		ids, r.cancelled = r.parts, true
		c.fail(ch, r)
	}
	var failed error
	for _, id := range ids {
		if p := c.publishing.of(ch, id); p != nil {
			c.dequeue(p)
		}
		if err := c.manager.Cancel(ch.id, id, now); err != nil {
			failed = err
		}
	}
	c.settle(now)
	return failed
}
