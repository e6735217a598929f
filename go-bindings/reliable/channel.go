package reliable

import (
	"context"
	"crypto/rand"
	"sync"
	"time"

	"github.com/status-im/sds-rs/go-bindings/sds"
)

// Channel is a reliable channel: what is sent in it reaches all members, or it is told that it did not.
type Channel struct {
	client *Client
	state  *channelState
	// owns is true if the client was opened for this channel alone.
	owns bool

	ctx                    context.Context
	cancel                 context.CancelFunc
	running                sync.WaitGroup
	events                 chan Event
	wakeEvents, wakeIntake waker
	close                  sync.Once
	closeErr               error
}

// ID is the channel's.
func (ch *Channel) ID() string { return ch.state.id }

// Events brings what happens in the channel, in its order. It is closed with the channel.
//
// Read it: while ChannelOptions.EventLimit events are unread nothing is taken from the network, and Send returns
// ErrEventsUnread. What is resent, acknowledged or lost goes on.
func (ch *Channel) Events() <-chan Event { return ch.events }

// Send sends a payload to all members, and returns its id before anything is published. It is stored by then, if there is a
// store. What becomes of it is told by Sent, then Delivered or DeliveryError; or SendError. The payload is only read during the
// call.
//
// Errors: ErrClosed, ErrEventsUnread; those of sds.Manager.WrapOutgoing, such as sds.ErrTooLarge and
// sds.ErrTooManyUnacknowledged: then it is not sent, but for sds.ErrStoreFailed, when it may be, later. ErrNotStored: with an id
// it is sent later, without one it is not.
func (ch *Channel) Send(payload []byte) (RequestID, error) {
	setID := make([]byte, setIDSize)
	if _, err := rand.Read(setID); err != nil {
		return "", err
	}
	return call(ch, func(c *core, now time.Time) (RequestID, error) { return c.send(ch.state, payload, setID, now) })
}

// SendEphemeral sends a payload that is delivered at once or not at all, and is remembered nowhere: "alice is typing". It is
// given to the node once; at most 64 wait, and older ones make way.
//
// Errors: ErrClosed, ErrOffline; those of sds.Manager.WrapEphemeral.
func (ch *Channel) SendEphemeral(payload []byte) (RequestID, error) {
	return call(ch, func(c *core, now time.Time) (RequestID, error) { return c.sendEphemeral(ch.state, payload, now) })
}

// Retry sends a payload again that was given up, now and with a fresh count of resends.
//
// Errors: ErrClosed, ErrEventsUnread; those of sds.Manager.Retry.
func (ch *Channel) Retry(id RequestID) error {
	_, err := call(ch, func(c *core, now time.Time) (struct{}, error) { return struct{}{}, c.retry(ch.state, id, now) })
	return err
}

// Cancel stops sending a payload. Others may have it: then Delivered may still come. If none has it, those who learn from later
// messages that there was one count it as lost in the end; a client that is opened later on the same state would answer them.
//
// Errors: ErrClosed; those of sds.Manager.Cancel.
func (ch *Channel) Cancel(id RequestID) error {
	_, err := call(ch, func(c *core, now time.Time) (struct{}, error) { return struct{}{}, c.cancel(ch.state, id, now) })
	return err
}

// SyncStatus tells how much of the channel is here.
//
// Errors: ErrClosed.
func (ch *Channel) SyncStatus() (SyncStatus, error) {
	return call(ch, func(c *core, _ time.Time) (SyncStatus, error) { return c.syncStatus(ch.state) })
}

// MessageStatus tells how far an SDS message of ours got, and who is known to have it. Of a payload in one message the id is
// its RequestID.
//
// Errors: ErrClosed; those of sds.Manager.MessageStatus.
func (ch *Channel) MessageStatus(id sds.MessageID) (sds.MessageStatus, error) {
	return call(ch, func(c *core, _ time.Time) (sds.MessageStatus, error) {
		return c.manager.MessageStatus(ch.state.id, id)
	})
}

// MarkDependenciesMet tells that messages are here by other means: see sds.Manager.MarkDependenciesMet.
//
// Errors: ErrClosed; those of sds.Manager.MarkDependenciesMet.
func (ch *Channel) MarkDependenciesMet(ids []sds.MessageID) error {
	_, err := call(ch, func(c *core, now time.Time) (struct{}, error) {
		for _, id := range ids {
			c.unwant(ch.state, id)
		}
		ch.state.dirty = true
		err := c.manager.MarkDependenciesMet(ch.state.id, ids, now)
		c.settle(now)
		return struct{}{}, err
	})
	return err
}

// SeedHistory tells which messages were there before the channel was first opened here: see sds.Manager.SeedHistory.
//
// Errors: ErrClosed; those of sds.Manager.SeedHistory.
func (ch *Channel) SeedHistory(known []sds.KnownMessage) (int, error) {
	return call(ch, func(c *core, now time.Time) (int, error) {
		added, err := c.manager.SeedHistory(ch.state.id, known, now)
		c.settle(now)
		return added, err
	})
}

// ReadLog reads a page of the stored log: see sds.Manager.ReadLog. Payloads in segments are in it segment by segment.
//
// Errors: ErrClosed; those of sds.Manager.ReadLog.
func (ch *Channel) ReadLog(after sds.LogPosition, limit int) (sds.LogPage, error) {
	return call(ch, func(c *core, _ time.Time) (sds.LogPage, error) { return c.manager.ReadLog(ch.state.id, after, limit) })
}

// Close closes the channel and waits for its goroutines; its client, too, if it was opened for it. Its state stays in the
// engine, and in the store, and it can be created again. Events that were not read are gone; a replay brings the payloads
// among them again.
//
// Errors: those of sds.Manager.CloseChannel and Close.
func (ch *Channel) Close() error {
	ch.close.Do(func() {
		if ch.owns {
			ch.closeErr = ch.client.Close()
			return
		}
		_, ch.closeErr = call(ch, func(c *core, now time.Time) (struct{}, error) {
			delete(ch.client.channels, ch.state.id)
			return struct{}{}, c.closeChannel(ch.state, now)
		})
		if ch.closeErr == ErrClosed {
			ch.closeErr = nil // the client was faster
		}
		ch.cancel()
		ch.running.Wait()
	})
	return ch.closeErr
}

// call does something under the client's lock, at its time, and wakes who has to act on it.
func call[T any](ch *Channel, do func(*core, time.Time) (T, error)) (T, error) {
	c := ch.client
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || ch.state.closed {
		var zero T
		return zero, ErrClosed
	}
	defer c.wake()
	return do(c.core, c.clock.Now())
}
