package reliable

import (
	"bytes"
	"errors"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/status-im/sds-rs/go-bindings/internal/agenda"
	"github.com/status-im/sds-rs/go-bindings/sds"
)

const (
	// maxWanted is how many missing messages are fetched, per channel: as many as the engine tracks by default.
	maxWanted = 4_096
	// maxHints is how many different hints are tried for a message: the first that is heard may be made up.
	maxHints = 4
	// roomPause is the pause before what is missing in a channel whose events are not read is looked at again.
	roomPause = time.Second
	// noStorePause is the pause before a node that has no store is asked for one again: it may have been given one. It costs no
	// traffic.
	noStorePause = time.Minute
	// prunePause is the least time between two comparisons of what is wanted with what the engine misses; what was not found
	// so many times gives reason for one.
	prunePause = time.Minute
	doubtful   = 6
)

// want is a message that is known to be missing.
type want struct {
	channel  *channelState
	id       sds.MessageID
	hints    [][]byte
	attempts int
	// turn is the number of its latest appointment; others are void.
	turn int
	gone bool
}

type appointment struct {
	want *want
	turn int
}

// fetchQueue is what is to be fetched, and when.
type fetchQueue struct {
	agenda agenda.Queue[appointment]
	// inFlight is what the store is being asked for.
	inFlight []*want
	// failures counts queries that failed in a row; until notBefore there is a pause.
	failures  int
	notBefore time.Time
}

func (q *fetchQueue) push(w *want, due time.Time) {
	w.turn++
	q.agenda.Push(due, appointment{w, w.turn})
}

// want notes that a message is missing. It is fetched at once, if anybody said how.
func (c *core) want(ch *channelState, entry sds.HistoryEntry, now time.Time) {
	w := ch.wanted[entry.MessageID]
	if w == nil {
		if ch.waiting[entry.MessageID] {
			return // it is here, and waits itself
		}
		if len(ch.wanted) >= maxWanted {
			c.prune(ch, now)
		}
		if len(ch.wanted) >= maxWanted {
			c.stats.MissingUntracked++
			return
		}
		w = &want{channel: ch, id: entry.MessageID}
		ch.wanted[entry.MessageID] = w
		c.stats.Missing++
		c.emit(ch, Missing{MessageID: entry.MessageID, SenderID: entry.SenderID})
	}
	known := func(hint []byte) bool { return bytes.Equal(hint, entry.RetrievalHint) }
	if len(entry.RetrievalHint) == 0 || len(w.hints) >= maxHints || slices.ContainsFunc(w.hints, known) {
		return
	}
	w.hints = append(w.hints, entry.RetrievalHint)
	if c.active() { // else fetchAll pushes it: nothing would take it out of the agenda meanwhile, found or not
		c.fetching.push(w, now)
	}
}

// unwant notes that a message is missing no more, or given up; true if it was wanted.
func (c *core) unwant(ch *channelState, id sds.MessageID) bool {
	w := ch.wanted[id]
	if w == nil {
		return false
	}
	w.gone = true
	delete(ch.wanted, id)
	return true
}

// prune forgets what the engine no longer misses: names that gave way to others are told by no event.
func (c *core) prune(ch *channelState, now time.Time) {
	if now.Before(ch.pruneAfter) {
		return
	}
	ch.pruneAfter = now.Add(prunePause)
	entries, err := c.manager.Missing(ch.id)
	if err != nil {
		return
	}
	missing := make(map[sds.MessageID]bool, len(entries))
	for _, entry := range entries {
		missing[entry.MessageID] = true
	}
	for id := range ch.wanted {
		if !missing[id] {
			c.unwant(ch, id)
		}
	}
}

// fetchAll asks for everything that is missing, now: the network is there again.
func (c *core) fetchAll(now time.Time) {
	c.fetching.failures, c.fetching.notBefore = 0, time.Time{}
	for _, ch := range c.order {
		var wanted []*want
		for _, w := range ch.wanted {
			if w.attempts = 0; len(w.hints) > 0 {
				wanted = append(wanted, w)
			}
		}
		slices.SortFunc(wanted, func(a, b *want) int { return bytes.Compare([]byte(a.id), []byte(b.id)) })
		for _, w := range wanted {
			c.fetching.push(w, now)
		}
	}
}

// nextFetch returns what to ask the store for now. Again is when to ask again if that is nothing; the zero time if not
// before something happens.
func (c *core) nextFetch(now time.Time) (hashes [][]byte, again time.Time) {
	q := &c.fetching
	if !c.active() || q.inFlight != nil {
		return nil, time.Time{}
	}
	if now.Before(q.notBefore) {
		return nil, q.notBefore
	}
	for len(hashes) < c.config.FetchBatch {
		a, ok := q.agenda.Pop(now)
		if !ok {
			break
		}
		w := a.want
		if w.gone || a.turn != w.turn {
			continue
		}
		if !c.room(w.channel) {
			q.push(w, now.Add(roomPause))
			continue
		}
		for i := range w.hints {
			if len(hashes) < c.config.FetchBatch {
				hashes = append(hashes, w.hints[(w.attempts+i)%len(w.hints)])
			}
		}
		q.inFlight = append(q.inFlight, w)
	}
	if len(hashes) > 0 {
		c.stats.Fetches++
		return hashes, time.Time{}
	}
	if due, ok := q.agenda.Next(); ok {
		again = due
	}
	return nil, again
}

// fetched takes in what the store answered.
func (c *core) fetched(messages []Message, err error, now time.Time) {
	q := &c.fetching
	asked := q.inFlight
	q.inFlight = nil
	if errors.Is(err, errors.ErrUnsupported) {
		c.log.Debug("the node has no store")
		c.askAgain(asked, now.Add(noStorePause))
		return
	}
	if err != nil {
		c.askAgain(asked, now.Add(c.jitter(backoff(c.config.FetchBackoff, c.config.FetchBackoffMax, q.failures))))
		q.failures++
		c.stats.FetchErrors++
		c.problem(&c.fetchTrouble, err, nil)
		c.settle(now)
		return
	}
	q.failures, q.notBefore = 0, time.Time{}
	c.problemOver(&c.fetchTrouble)
	for _, m := range messages {
		ch := channelOf(asked, m.Hash)
		switch {
		case ch == nil:
			c.stats.FetchedUnasked++ // whose channel would it be?
		case !ch.closed:
			c.stats.Fetched++
			c.receive(ch, m, true, now)
		}
	}
	for _, w := range asked {
		if w.attempts >= doubtful {
			c.prune(w.channel, now)
		}
		if w.gone {
			continue
		}
		pause := c.jitter(backoff(c.config.FetchBackoff, c.config.FetchBackoffMax, w.attempts))
		w.attempts++
		q.push(w, now.Add(pause))
	}
	c.log.Debug("fetched", zap.Int("asked", len(asked)), zap.Int("found", len(messages)))
	c.settle(now)
}

// askAgain has a store be asked again after a while, and not before, for what it was asked for in vain.
func (c *core) askAgain(asked []*want, due time.Time) {
	c.fetching.notBefore = due
	for _, w := range asked {
		if !w.gone {
			c.fetching.push(w, due)
		}
	}
}

// channelOf is the channel that a message was fetched for.
func channelOf(asked []*want, hash []byte) *channelState {
	for _, w := range asked {
		for _, hint := range w.hints {
			if bytes.Equal(hint, hash) {
				return w.channel
			}
		}
	}
	return nil
}

// jitter varies a pause by a quarter, so that members who miss the same do not ask in step.
func (c *core) jitter(pause time.Duration) time.Duration {
	return pause*7/8 + time.Duration(c.random.Int64N(int64(pause)/4+1))
}
