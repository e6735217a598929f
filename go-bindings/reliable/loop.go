package reliable

import (
	"context"
	"time"
)

// maxPause bounds a sleep: timers stand still while a machine is suspended, and know nothing of a clock that is set.
const maxPause = time.Minute

// runLoop does what is due, when it is due.
func (c *Client) runLoop() {
	defer c.running.Done()
	for {
		c.mu.Lock()
		c.core.tick(c.clock.Now())
		next, ok := c.core.next()
		now := c.clock.Now()
		c.wakeOthers()
		c.mu.Unlock()
		if !ok {
			next = time.Time{}
		}
		if !c.sleep(c.ctx, c.wakeLoop, next, now) {
			return
		}
	}
}

// wakeOthers wakes all but the loop.
func (c *Client) wakeOthers() {
	c.wake()
	select {
	case <-c.wakeLoop:
	default:
	}
}

// runPublisher publishes, one after the other.
func (c *Client) runPublisher() {
	defer c.running.Done()
	for {
		c.mu.Lock()
		now := c.clock.Now()
		e, ok, again := c.core.nextPublish(now)
		timeout := c.core.config.PublishTimeout
		c.mu.Unlock()
		if !ok {
			if !c.sleep(c.ctx, c.wakePublish, again, now) {
				return
			}
			continue
		}
		ctx, cancel := context.WithTimeout(c.ctx, timeout)
		hash, err := c.node.Publish(ctx, e.topic, e.payload, e.timestamp)
		cancel()
		c.mu.Lock()
		if c.ctx.Err() == nil || err == nil {
			c.core.published(e.publication, hash, err, c.clock.Now())
		}
		c.wake()
		c.mu.Unlock()
	}
}

// runFetcher asks the store for what is missing, one batch after the other.
func (c *Client) runFetcher() {
	defer c.running.Done()
	for {
		c.mu.Lock()
		now := c.clock.Now()
		hashes, again := c.core.nextFetch(now)
		timeout := c.core.config.FetchTimeout
		c.mu.Unlock()
		if len(hashes) == 0 {
			if !c.sleep(c.ctx, c.wakeFetch, again, now) {
				return
			}
			continue
		}
		ctx, cancel := context.WithTimeout(c.ctx, timeout)
		messages, err := c.node.Fetch(ctx, hashes)
		cancel()
		c.mu.Lock()
		if c.ctx.Err() == nil {
			c.core.fetched(messages, err, c.clock.Now())
		}
		c.wake()
		c.mu.Unlock()
	}
}

// sleep waits until a time, if it is not zero, or until it is woken; false once the context is done.
func (c *Client) sleep(ctx context.Context, wake waker, until, now time.Time) bool {
	var alarm <-chan time.Time
	if !until.IsZero() {
		fired, stop := c.clock.After(max(min(until.Sub(now), maxPause), 0))
		defer stop()
		alarm = fired
	}
	select {
	case <-ctx.Done():
		return false
	case <-wake:
	case <-alarm:
	}
	return ctx.Err() == nil
}

// runIntake takes in what the network brings, while there is room.
func (ch *Channel) runIntake(messages <-chan Message) {
	defer ch.running.Done()
	c := ch.client
	again := resubscription{channel: ch, began: c.clock.Now()}
	for {
		c.mu.Lock()
		room := c.core.room(ch.state)
		c.mu.Unlock()
		if !room {
			select {
			case <-ch.ctx.Done():
				return
			case <-ch.wakeIntake:
			}
			continue
		}
		select {
		case <-ch.ctx.Done():
			return
		case m, open := <-messages:
			if !open {
				if messages = again.subscribe(); messages == nil {
					return
				}
				continue
			}
			c.mu.Lock()
			if !ch.state.closed && !c.closed {
				c.core.receive(ch.state, m, false, c.clock.Now())
				c.wake()
			}
			c.mu.Unlock()
		}
	}
}

// runEvents hands events to the application, as it reads them.
func (ch *Channel) runEvents() {
	defer ch.running.Done()
	defer close(ch.events)
	c := ch.client
	for {
		c.mu.Lock()
		had := c.core.room(ch.state)
		e, ok := ch.state.events.pop(func() SyncStatus { return ch.state.told })
		if ok && !had {
			c.wake() // there may be room again
		}
		c.mu.Unlock()
		if !ok {
			select {
			case <-ch.ctx.Done():
				return
			case <-ch.wakeEvents:
			}
			continue
		}
		select {
		case <-ch.ctx.Done():
			return
		case ch.events <- e:
		}
	}
}
