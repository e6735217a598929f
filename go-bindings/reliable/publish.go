package reliable

import (
	"bytes"
	"slices"
	"time"

	"github.com/status-im/sds-rs/go-bindings/sds"
)

// maxRepairs is how many answers to others' requests wait to be published; beyond it the oldest is dropped. Others may
// answer, and whoever misses the message asks again.
const maxRepairs = 256

// maxEphemerals is how many ephemeral payloads of a channel wait to be published; beyond it the oldest is dropped.
const maxEphemerals = 64

// publicationKey names what is published: of a message, and of sync messages of one kind, only one waits at a time.
type publicationKey struct {
	channel string
	id      sds.MessageID
	// without an id, those of a kind that only the latest of is of use.
	class class
}

// publication is something to publish.
type publication struct {
	key      publicationKey
	channel  *channelState
	id       sds.MessageID
	class    class
	data     []byte
	attempts int
	// ephemeral is tried once: it is of no use later.
	ephemeral bool
}

// publishQueue is what waits to be published, by class, each in its order.
type publishQueue struct {
	queues [classes][]*publication
	byKey  map[publicationKey]*publication
	// inFlight is with the node now.
	inFlight *publication
	// failures counts publications that failed in a row; until notBefore there is a pause.
	failures  int
	notBefore time.Time
	// stamp is that of the last envelope.
	stamp time.Time
}

// of is the publication of a message that waits, or is with the node; nil if there is none.
func (q *publishQueue) of(ch *channelState, id sds.MessageID) *publication {
	return q.byKey[publicationKey{channel: ch.id, id: id}]
}

// enqueue adds bytes to be published. A message that waits already does not wait twice; a newer sync message takes the place
// of an older one.
func (c *core) enqueue(ch *channelState, id sds.MessageID, class class, reason sds.Reason, data []byte) {
	q := &c.publishing
	key := publicationKey{channel: ch.id, id: id}
	if reason == sds.ReasonSync || reason == sds.ReasonRepairRequest {
		key = publicationKey{channel: ch.id, class: class}
	}
	if waiting := q.byKey[key]; waiting != nil {
		if key.id == "" && waiting != q.inFlight {
			waiting.id, waiting.data, waiting.attempts = id, data, 0
		}
		return
	}
	if class == classRepair && key.id != "" && len(q.queues[classRepair]) >= maxRepairs {
		c.dequeue(q.queues[classRepair][0])
		c.stats.PublicationsDropped++
	}
	p := &publication{key: key, channel: ch, id: id, class: class, data: data}
	q.byKey[key] = p
	q.queues[class] = append(q.queues[class], p)
}

// enqueueEphemeral adds an ephemeral message, which is tried once, or makes way for newer ones.
func (c *core) enqueueEphemeral(ch *channelState, id sds.MessageID, data []byte) {
	q := &c.publishing
	isOne := func(p *publication) bool { return p.ephemeral && p.channel == ch }
	waiting := 0
	for _, p := range q.queues[classChat] {
		if isOne(p) {
			waiting++
		}
	}
	if waiting >= maxEphemerals {
		c.dequeue(q.queues[classChat][slices.IndexFunc(q.queues[classChat], isOne)])
		c.stats.PublicationsDropped++
	}
	c.enqueue(ch, id, classChat, sds.ReasonPublish, data)
	q.of(ch, id).ephemeral = true
}

// dequeue takes back what waits.
func (c *core) dequeue(p *publication) {
	q := &c.publishing
	if q.byKey[p.key] == p {
		delete(q.byKey, p.key)
	}
	for i, other := range q.queues[p.class] {
		if other == p {
			q.queues[p.class] = append(q.queues[p.class][:i], q.queues[p.class][i+1:]...)
			return
		}
	}
}

// envelope is what the node is to publish.
type envelope struct {
	publication *publication
	topic       string
	payload     []byte
	timestamp   time.Time
}

// nextPublish returns what to publish now. Again is when to ask again if there is nothing; the zero time if not before
// something happens.
func (c *core) nextPublish(now time.Time) (e envelope, ok bool, again time.Time) {
	q := &c.publishing
	if !c.active() || q.inFlight != nil {
		return envelope{}, false, time.Time{}
	}
	if now.Before(q.notBefore) {
		return envelope{}, false, q.notBefore
	}
	var paused time.Time // the earliest end of a channel's pause
	for class := range q.queues {
		for i := 0; i < len(q.queues[class]); {
			p := q.queues[class][i]
			if until := p.channel.sealAfter; now.Before(until) {
				if paused.IsZero() || until.Before(paused) {
					paused = until
				}
				i++
				continue
			}
			// The first that is refused by the limiter ends the search: lower classes get less.
			if ok, again := c.config.RateLimiter.take(p.class, now); !ok {
				return envelope{}, false, earliest(again, paused)
			}
			payload, err := p.channel.seal(p.data)
			q.queues[class] = slices.Delete(q.queues[class], i, i+1)
			if err != nil {
				c.config.RateLimiter.giveBack(now)
				c.sealFailed(p, err, now)
				continue
			}
			p.channel.sealFailures = 0
			q.inFlight = p
			if q.stamp = q.stamp.Add(1); q.stamp.Before(now) {
				q.stamp = now
			}
			return envelope{publication: p, topic: p.channel.topic, payload: payload, timestamp: q.stamp}, true, time.Time{}
		}
	}
	return envelope{}, false, paused
}

// earliest is the earlier of two times, of which the second may be zero.
func earliest(a, b time.Time) time.Time {
	if b.IsZero() || a.Before(b) {
		return a
	}
	return b
}

// seal makes a payload of SDS bytes.
func (ch *channelState) seal(data []byte) ([]byte, error) {
	if ch.options.Encryption != nil {
		var err error
		if data, err = ch.options.Encryption.Encrypt(data); err != nil {
			return nil, err
		}
	}
	if ch.options.Untagged {
		return bytes.Clone(data), nil // the payload belongs to the node
	}
	return addTag(data), nil
}

// published takes in what became of a publication.
func (c *core) published(p *publication, hash []byte, err error, now time.Time) {
	q := &c.publishing
	q.inFlight = nil
	if p.channel.closed {
		return
	}
	if err != nil {
		c.publishFailed(p, err, now)
		return
	}
	q.failures, q.notBefore = 0, time.Time{}
	delete(q.byKey, p.key)
	c.stats.Published.count(p.class)
	if p.key.id != "" {
		c.setHint(p.channel, p.id, hash)
		c.dispatched(p.channel, p.id)
	}
	c.problemOver(&c.publishTrouble)
	c.settle(now)
}

// publishFailed pauses, and tries again or gives up.
func (c *core) publishFailed(p *publication, err error, now time.Time) {
	q := &c.publishing
	q.notBefore = now.Add(backoff(c.config.PublishBackoff, c.config.PublishBackoffMax, q.failures))
	q.failures++
	c.tryAgain(p, err, now)
}

// sealFailed pauses the channel whose encryption failed, which says nothing about the others.
func (c *core) sealFailed(p *publication, err error, now time.Time) {
	ch := p.channel
	ch.sealAfter = now.Add(backoff(c.config.PublishBackoff, c.config.PublishBackoffMax, ch.sealFailures))
	ch.sealFailures++
	c.tryAgain(p, err, now)
}

// tryAgain puts back what failed, or gives it up.
func (c *core) tryAgain(p *publication, err error, now time.Time) {
	q := &c.publishing
	p.attempts++
	c.stats.PublishErrors++
	c.problem(&c.publishTrouble, err, p.channel)
	// What was acknowledged or cancelled meanwhile is no longer in the index. Sync messages are made anew when they are due.
	if q.byKey[p.key] != p || p.key.id == "" || p.ephemeral || p.attempts >= c.config.PublishAttempts {
		if q.byKey[p.key] == p {
			delete(q.byKey, p.key)
		}
		if part := p.channel.parts[p.id]; part != nil && !part.dispatched && p.class <= classResend {
			c.neverDispatched(p.channel, p.id, err, now)
		}
		c.settle(now)
		return
	}
	q.queues[p.class] = append(q.queues[p.class], p)
}

// backoff doubles from least to most.
func backoff(least, most time.Duration, failures int) time.Duration {
	if failures >= 30 {
		return most
	}
	return min(least<<failures, most)
}

// queued counts what waits to be published.
func (q *publishQueue) queued() (n int) {
	for _, queue := range q.queues {
		n += len(queue)
	}
	if q.inFlight != nil {
		n++
	}
	return n
}

// dropPublications takes back all that a channel has to publish.
func (c *core) dropPublications(ch *channelState) {
	for class, queue := range c.publishing.queues {
		kept := queue[:0]
		for _, p := range queue {
			if p.channel != ch {
				kept = append(kept, p)
				continue
			}
			delete(c.publishing.byKey, p.key)
		}
		clear(queue[len(kept):])
		c.publishing.queues[class] = kept
	}
	if p := c.publishing.inFlight; p != nil && p.channel == ch {
		delete(c.publishing.byKey, p.key)
	}
}
