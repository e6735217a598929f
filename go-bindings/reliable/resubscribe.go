package reliable

import "time"

const (
	// resubscribePause is the pause before a subscription that the node ended is made again. It doubles while the node refuses
	// it, or ends it soon, up to resubscribePauseMax.
	resubscribePause    = time.Second
	resubscribePauseMax = time.Minute
)

// resubscription makes the subscription of a channel again when the node ends it.
type resubscription struct {
	channel *Channel
	// began is when the subscription was made. One that lasted for longer than the longest pause did not fail.
	began time.Time
	// failures counts subscriptions in a row that were refused, or ended soon.
	failures int
}

// subscribe subscribes again, until it works; nil if the channel is closed.
func (r *resubscription) subscribe() <-chan Message {
	c := r.channel.client
	if c.clock.Now().Sub(r.began) > resubscribePauseMax {
		r.failures = 0
	}
	for r.pause() {
		r.failures++
		messages, err := c.node.Subscribe(r.channel.ctx, r.channel.state.topic)
		r.tell(err)
		if err == nil {
			r.began = c.clock.Now()
			return messages
		}
	}
	return nil
}

// tell tells the application, once, that the node refuses the subscription: nothing comes meanwhile.
func (r *resubscription) tell(err error) {
	ch, c := r.channel, r.channel.client
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case err == nil:
		c.core.problemOver(&ch.state.subscribeTrouble)
	case ch.ctx.Err() == nil:
		c.core.problem(&ch.state.subscribeTrouble, err, ch.state)
		c.wake()
	}
}

// pause waits until it is time to try again; false if the channel is closed. Offline or paused that is never, and no timer is
// set; afterwards it is at once, since what failed before says nothing about then.
func (r *resubscription) pause() bool {
	ch, c := r.channel, r.channel.client
	due := c.clock.Now().Add(backoff(resubscribePause, resubscribePauseMax, r.failures))
	for {
		c.mu.Lock()
		active := c.core.active()
		c.mu.Unlock()
		now, until := c.clock.Now(), due
		switch {
		case !active:
			r.failures, due, until = 0, now, time.Time{}
		case !now.Before(due):
			return ch.ctx.Err() == nil
		}
		if !c.sleep(ch.ctx, ch.wakeIntake, until, now) {
			return false
		}
	}
}
