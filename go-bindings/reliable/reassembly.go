package reliable

import (
	"errors"
	"time"

	"github.com/status-im/sds-rs/go-bindings/sds"
)

const (
	// maxDoneSets is how many complete payloads are remembered, so that segments that come after all begin none anew.
	maxDoneSets = 1_024
	// segmentBytes is about what a segment takes beside its data.
	segmentBytes = 128
)

var (
	errSetsFull    = errors.New("too many incomplete payloads, or too large ones")
	errSetQuiet    = errors.New("too few segments came in time")
	errSetMismatch = errors.New("the segments do not make up the payload that they name")
)

// incoming is an SDS message on its way to the application.
type incoming struct {
	id        sds.MessageID
	sender    sds.ParticipantID
	timestamp uint64
	content   []byte
	// pending: its order is not known. again: it was pending, and is known now.
	pending, again bool
	late, own      bool
	ephemeral      bool
	replayed       bool
}

func (m *incoming) as(id RequestID, payload []byte) Incoming {
	return Incoming{
		MessageID: id, SenderID: m.sender, Timestamp: m.timestamp, Payload: payload, Late: m.late, Own: m.own,
	}
}

// setKey tells payloads in segments apart. The sender is part of it, so that others cannot disturb a payload unless they
// claim to be its sender.
type setKey struct {
	sender sds.ParticipantID
	set    string
	hash   [hashSize]byte
	length int
}

// place is that of a segment in its payload.
type place struct {
	parity bool
	index  int
}

type heldSegment struct {
	data    []byte
	ordered bool
}

// segmentSet is a payload that is not complete, or whose order is not known.
type segmentSet struct {
	id RequestID
	// data and parity are how many segments there are of each; 0 while that is not known.
	data, parity int
	held         map[place]*heldSegment
	ordered      int
	bytes        int
	// touched is when the last segment came.
	touched time.Time
	// offered is true once the payload was Received, pending.
	offered bool
	latest  incoming
}

// reassembly makes payloads of segments, for one channel.
type reassembly struct {
	limits *Segmentation
	sets   map[setKey]*segmentSet
	bytes  int
	// done remembers which segments of complete payloads came; order is that in which they were completed.
	done    map[setKey]map[place]bool
	order   []setKey
	dropped []SegmentsDropped
	invalid uint64
}

func newReassembly(limits *Segmentation) *reassembly {
	return &reassembly{
		limits: limits, sets: make(map[setKey]*segmentSet), done: make(map[setKey]map[place]bool),
	}
}

// add takes a segment in and returns what it completes, if anything.
func (r *reassembly) add(m incoming, now time.Time) Event {
	s, err := decodeSegment(m.content, r.limits)
	if err != nil {
		r.invalid++
		return nil
	}
	if s.count == 1 && !s.parity {
		return r.alone(s, m)
	}
	if s.parity && r.limits.Parity == nil {
		return nil
	}
	key := setKey{sender: m.sender, set: string(s.set), hash: s.hash, length: s.length}
	at := place{parity: s.parity, index: s.index}
	if seen, ok := r.done[key]; ok {
		if !seen[at] || m.again || len(s.set) > 0 {
			seen[at] = true
			return nil
		}
		r.forget(key) // the same payload, sent once more
	}
	set := r.sets[key]
	if set == nil {
		set = &segmentSet{id: s.id(), held: make(map[place]*heldSegment)}
		r.sets[key] = set
	}
	if !set.counts(s, r.limits) {
		r.invalid++
		if len(set.held) == 0 {
			delete(r.sets, key)
		}
		return nil
	}
	if r.hold(set, at, s, &m) {
		set.touched = now
	}
	event := r.complete(key, set)
	r.shrink(key)
	return event
}

// alone is a payload in one segment.
func (r *reassembly) alone(s *segment, m incoming) Event {
	if len(s.data) != s.length || hashOf(s.data) != s.hash {
		r.invalid++
		return nil
	}
	return m.event(RequestID(m.id), s.data)
}

// event is the one that brings a payload.
func (m *incoming) event(id RequestID, payload []byte) Event {
	if m.again {
		return Ready{m.as(id, payload)}
	}
	return Received{
		Incoming: m.as(id, payload), Pending: m.pending, Ephemeral: m.ephemeral, Replayed: m.replayed,
	}
}

// counts takes down how many segments there are; false if that contradicts the others.
func (set *segmentSet) counts(s *segment, limits *Segmentation) bool {
	known := &set.data
	if s.parity {
		known = &set.parity
	}
	if *known != 0 && *known != s.count {
		return false
	}
	before := *known
	*known = s.count
	if set.data+set.parity > limits.MaxSegments || set.data > 0 && set.parity >= set.data {
		*known = before
		return false
	}
	return true
}

// hold keeps a segment; true if it is new.
func (r *reassembly) hold(set *segmentSet, at place, s *segment, m *incoming) bool {
	held := set.held[at]
	added := held == nil
	if added {
		held = &heldSegment{data: s.data}
		set.held[at] = held
		set.bytes += segmentBytes + len(s.data)
		r.bytes += segmentBytes + len(s.data)
	}
	if !m.pending && !held.ordered && (added || m.again) {
		held.ordered = true
		set.ordered++
	}
	late, own := set.latest.late || m.late, m.own
	set.latest = *m
	set.latest.content, set.latest.late, set.latest.own = nil, late, own
	return added
}

// complete returns the payload if enough is here, once as pending and once as ready, or once if it is in order at once.
func (r *reassembly) complete(key setKey, set *segmentSet) Event {
	if set.data == 0 || len(set.held) < set.data || set.offered && set.ordered < set.data {
		return nil
	}
	payload, err := r.assemble(key, set)
	if err != nil {
		r.drop(key, set, err)
		return nil
	}
	m := set.latest
	m.pending, m.again = set.ordered < set.data, set.offered
	if m.pending {
		set.offered = true
	} else {
		r.finish(key, set)
	}
	return m.event(set.id, payload)
}

// assemble makes the payload of what is here.
func (r *reassembly) assemble(key setKey, set *segmentSet) ([]byte, error) {
	shards := make([][]byte, set.data+set.parity)
	missing := false
	for i := range shards {
		at := place{parity: i >= set.data, index: i}
		if at.parity {
			at.index -= set.data
		}
		if held := set.held[at]; held != nil {
			shards[i] = held.data
		} else if !at.parity {
			missing = true
		}
	}
	if missing {
		if err := r.reconstruct(shards, set.data); err != nil {
			return nil, err
		}
	}
	// Nothing larger than what is held is made, whatever the segments claim.
	size := 0
	for _, shard := range shards[:set.data] {
		size += len(shard)
	}
	if size < key.length {
		return nil, errSetMismatch
	}
	payload := make([]byte, 0, size)
	for _, shard := range shards[:set.data] {
		payload = append(payload, shard...)
	}
	payload = payload[:key.length]
	if hashOf(payload) != key.hash {
		return nil, errSetMismatch
	}
	return payload, nil
}

// reconstruct makes up missing data shards. All have the length of a parity shard; the last may have come shorter.
func (r *reassembly) reconstruct(shards [][]byte, data int) error {
	length := 0
	for _, shard := range shards[data:] {
		if shard == nil {
			continue
		}
		if length != 0 && len(shard) != length {
			return errSetMismatch
		}
		length = len(shard)
	}
	if length == 0 || length%shardUnit != 0 {
		return errSetMismatch
	}
	for i, shard := range shards[:data] {
		switch {
		case shard == nil || len(shard) == length:
		case i == data-1 && len(shard) < length:
			shards[i] = pad(shard, length)
		default:
			return errSetMismatch
		}
	}
	return r.limits.Parity.Reconstruct(shards, data)
}

// finish forgets the segments of a complete payload, but not that they came.
func (r *reassembly) finish(key setKey, set *segmentSet) {
	seen := make(map[place]bool, len(set.held))
	for at := range set.held {
		seen[at] = true
	}
	r.remove(key, set)
	if len(r.order) >= maxDoneSets {
		delete(r.done, r.order[0])
		r.order = r.order[1:]
	}
	r.done[key] = seen
	r.order = append(r.order, key)
}

func (r *reassembly) forget(key setKey) {
	delete(r.done, key)
	for i, k := range r.order {
		if k == key {
			r.order = append(r.order[:i], r.order[i+1:]...)
			return
		}
	}
}

func (r *reassembly) remove(key setKey, set *segmentSet) {
	r.bytes -= set.bytes
	delete(r.sets, key)
}

func (r *reassembly) drop(key setKey, set *segmentSet, err error) {
	r.remove(key, set)
	r.dropped = append(r.dropped, SegmentsDropped{
		MessageID: set.id, SenderID: key.sender, Held: len(set.held), Needed: set.data, Err: err,
	})
}

// shrink drops what was quiet for longest while there is too much. The one that just grew is the last to go.
func (r *reassembly) shrink(grown setKey) {
	for len(r.sets) > r.limits.MaxSets || r.bytes > r.limits.MaxSetBytes+segmentBytes*r.limits.MaxSegments {
		key, set := r.quietest(grown)
		if set == nil {
			return
		}
		r.drop(key, set, errSetsFull)
	}
}

// quietest returns the set that was quiet for longest; the one to spare only if it is the only one.
func (r *reassembly) quietest(spare setKey) (key setKey, quietest *segmentSet) {
	for k, set := range r.sets {
		if k == spare && len(r.sets) > 1 {
			continue
		}
		if quietest == nil || set.touched.Before(quietest.touched) ||
			set.touched.Equal(quietest.touched) && set.id < quietest.id {
			key, quietest = k, set
		}
	}
	return key, quietest
}

// expire drops what was quiet for too long.
func (r *reassembly) expire(now time.Time) {
	for {
		key, set := r.quietest(setKey{})
		if set == nil || now.Before(set.touched.Add(r.limits.Timeout)) {
			return
		}
		r.drop(key, set, errSetQuiet)
	}
}

// next tells when expire has something to do.
func (r *reassembly) next() (time.Time, bool) {
	_, set := r.quietest(setKey{})
	if set == nil {
		return time.Time{}, false
	}
	return set.touched.Add(r.limits.Timeout), true
}
