package reliable

// eventQueue holds what the application has not read yet. It never blocks and never drops what is essential: whoever makes
// essential events asks room first, and stops where there is none. So it holds at most
//
//   - limit events or about bytes of them, and what one step makes beyond: the messages of one batch from the store;
//   - a Ready for each message that waited in the engine (sds.Config.MaxWaitingMessages, MaxWaitingBytes);
//   - a Sent, a Delivered and an error for each payload that the application itself sent before Send was refused.
type eventQueue struct {
	limit, byteLimit int

	items   []Event
	head    int
	bytes   int
	dropped uint64
	// status is true while a place for the latest SyncStatus is in the queue. At most one is.
	status bool
}

// room tells whether more may be taken in.
func (q *eventQueue) room() bool { return q.len() < q.limit && q.bytes < q.byteLimit }

func (q *eventQueue) len() int { return len(q.items) - q.head }

func (q *eventQueue) push(e Event) {
	if !e.essential() && !q.room() {
		q.dropped++
		return
	}
	q.items = append(q.items, e)
	q.bytes += e.size()
}

// pushStatus keeps a place for the status as it will be when it is read.
func (q *eventQueue) pushStatus() {
	if !q.status {
		q.status = true
		q.items = append(q.items, SyncStatus{})
	}
}

// pop takes the oldest event; status is what to tell in the place that was kept for it.
func (q *eventQueue) pop(status func() SyncStatus) (Event, bool) {
	if q.len() == 0 {
		return nil, false
	}
	e := q.items[q.head]
	q.items[q.head] = nil
	q.head++
	if q.head*2 >= len(q.items) && q.head > 64 || q.head == len(q.items) {
		kept := copy(q.items, q.items[q.head:])
		clear(q.items[kept:])
		q.items, q.head = q.items[:kept], 0
	}
	q.bytes -= e.size()
	if _, ok := e.(SyncStatus); ok {
		q.status = false
		latest := status()
		latest.EventsDropped = q.dropped
		return latest, true
	}
	return e, true
}
