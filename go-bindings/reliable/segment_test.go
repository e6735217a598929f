package reliable

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/status-im/sds-rs/go-bindings/internal/agenda"
	"github.com/status-im/sds-rs/go-bindings/reliable/parity"
	"github.com/status-im/sds-rs/go-bindings/sds"
)

func randomBytes(seed uint64, n int) []byte {
	b := make([]byte, n)
	random := rand.New(rand.NewPCG(seed, 1))
	for i := range b {
		b[i] = byte(random.Uint32())
	}
	return b
}

func segmented(s Segmentation) ChannelOptions { return ChannelOptions{Segmentation: &s} }

// small makes small segments, so that tests are quick.
var small = Segmentation{SegmentBytes: 1 << 10}

var smallWithParity = Segmentation{SegmentBytes: 1 << 10, Parity: parity.ReedSolomon{}, ParityRate: 0.25}

func TestSegmentsAreBelowTheLimitAndReadBack(t *testing.T) {
	config := simConfig("ada")
	for _, rate := range []float64{0, 0.125, 0.9} {
		s, err := Segmentation{Parity: parity.ReedSolomon{}, ParityRate: rate}.complete(&config)
		check(t, err)
		for _, n := range []int{1, 101_000, 102_400, 300_000, 2_000_000} {
			payload := randomBytes(uint64(n), n)
			segments, err := s.split(payload, randomBytes(2, setIDSize))
			check(t, err)
			for i, part := range segments {
				encoded := part.encode()
				if len(encoded) >= 100<<10 {
					t.Errorf("a segment of %d bytes", len(encoded))
				}
				decoded, err := decodeSegment(encoded, s)
				check(t, err)
				if !bytes.Equal(decoded.data, part.data) || decoded.index != part.index || decoded.count != part.count ||
					decoded.parity != part.parity || decoded.length != n || decoded.hash != part.hash || decoded.id() != part.id() {
					t.Errorf("segment %d of %d bytes read back as another", i, n)
				}
			}
		}
	}
}

// The bytes of LIP 243, field by field, as another implementation would write them.
func TestSegmentLayout(t *testing.T) {
	config := simConfig("ada")
	limits, err := small.complete(&config)
	check(t, err)
	hash := bytes.Repeat([]byte{7}, 32)
	b := append([]byte{0x0a, 32}, hash...)
	b = append(b, 0x10, 5, 0x18, 1, 0x20, 2, 0x28, 1, 0x32, 3, 'a', 'b', 'c')
	s, err := decodeSegment(b, limits)
	check(t, err)
	if s.length != 5 || s.index != 1 || s.count != 2 || !s.parity || string(s.data) != "abc" || !bytes.Equal(s.hash[:], hash) {
		t.Errorf("%+v", s)
	}
	if got := s.encode(); !bytes.Equal(got, b) {
		t.Errorf("% x, want % x", got, b)
	}
	if want := "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"; fmt.Sprintf("%x", hashOf(nil)) != want {
		t.Error("the hash is not Keccak-256")
	}
}

func TestLargePayloads(t *testing.T) {
	for _, options := range []Segmentation{small, smallWithParity} {
		w := newWorld(t)
		w.network = lossyNetwork(0.15)
		ada := w.join("ada", simConfig("ada"), segmented(options))
		bo := w.join("bo", simConfig("bo"), segmented(options))
		large, little := randomBytes(1, 50_000), []byte("little")
		id, err := ada.trySay(large)
		check(t, err)
		w.run(time.Second)
		_, err = ada.trySay(large) // the same once more, before the first is all there
		check(t, err)
		_, err = ada.trySay(little)
		check(t, err)
		w.until(20*time.Minute, "delivered", func() bool { return ada.count("delivered") == 3 })
		w.until(20*time.Minute, "everything there", func() bool { return len(bo.payloads()) == 3 })
		if m := bo.shown[id]; !bytes.Equal(m.Payload, large) || m.SenderID != "ada" {
			t.Errorf("%d bytes of %q", len(m.Payload), m.SenderID)
		}
		if got := bo.payloads(); !slices.Contains(got, string(little)) {
			t.Error("the little one is another")
		}
		if s := bo.core.stats; s.SegmentsInvalid+s.SegmentSetsDropped != 0 || ada.count("sent") != 3 || len(ada.ch.requests) != 0 {
			t.Errorf("%+v, %d requests are left", s, len(ada.ch.requests))
		}
		if len(bo.ch.segments.sets) != 0 || bo.ch.segments.bytes != 0 {
			t.Errorf("%d sets, %d bytes are left", len(bo.ch.segments.sets), bo.ch.segments.bytes)
		}
	}
}

// A payload that never gets complete is told, in the end.
func TestAnIncompletePayloadIsTold(t *testing.T) {
	w := newWorld(t)
	ada, bo := w.join("ada", simConfig("ada"), segmented(small)), w.join("bo", simConfig("bo"), segmented(small))
	id, err := ada.trySay(randomBytes(1, 3_000))
	check(t, err)
	bo.pump()
	ada.pump()
	w.network.Loss = 1
	payload := w.envelopes[0].payload
	w.inFlight = agenda.Queue[func()]{}
	ada.leave()
	bo.core.receive(bo.ch, Message{Payload: payload}, false, w.now)
	w.until(2*time.Hour, "told", func() bool { return bo.count("segments-dropped") == 1 })
	e := bo.find("segments-dropped")[0].(SegmentsDropped)
	if e.MessageID != id || e.SenderID != "ada" || e.Held != 1 || e.Needed != 4 || !errors.Is(e.Err, errSetQuiet) {
		t.Errorf("%+v", e)
	}
	if s := bo.core.stats; s.SegmentSetsDropped != 1 {
		t.Errorf("%+v", s)
	}
}

func TestEphemeralPayloadsAreInOneSegment(t *testing.T) {
	w := newWorld(t)
	ada, bo := w.join("ada", simConfig("ada"), segmented(small)), w.join("bo", simConfig("bo"), segmented(small))
	if _, err := ada.core.sendEphemeral(ada.ch, make([]byte, 2_000), w.now); !errors.Is(err, sds.ErrTooLarge) {
		t.Error(err)
	}
	_, err := ada.core.sendEphemeral(ada.ch, []byte("typing"), w.now)
	check(t, err)
	w.run(time.Second)
	if got := bo.find("received"); len(got) != 1 || string(got[0].(Received).Payload) != "typing" {
		t.Errorf("%+v", got)
	}
}

// feed gives segments to a reassembly as messages of a sender.
func feed(r *reassembly, sender sds.ParticipantID, now time.Time, segments ...*segment) (events []Event) {
	for i, s := range segments {
		m := incoming{id: sds.MessageID(fmt.Sprint(s.parity, s.index, i)), sender: sender, content: s.encode()}
		if e := r.add(m, now); e != nil {
			events = append(events, e)
		}
	}
	return events
}

func testReassembly(t testing.TB, s Segmentation) (*reassembly, *Segmentation) {
	config := simConfig("bo")
	limits, err := s.complete(&config)
	check(t, err)
	return newReassembly(limits), limits
}

func TestParityMakesUpForLostSegments(t *testing.T) {
	for _, size := range []int{1_000, 2_000, 10_000, 100_000, 150_123} {
		r, limits := testReassembly(t, smallWithParity)
		payload := randomBytes(3, size)
		segments, err := limits.split(payload, randomBytes(4, setIDSize))
		check(t, err)
		data := segments[0].count
		random := rand.New(rand.NewPCG(uint64(size), 5))
		for range 5 {
			some := slices.Clone(segments)
			random.Shuffle(len(some), func(i, j int) { some[i], some[j] = some[j], some[i] })
			for _, s := range some {
				s.set = randomBytes(random.Uint64(), setIDSize)
			}
			set := randomBytes(random.Uint64(), setIDSize)
			for _, s := range some {
				s.set = set
			}
			if e := feed(r, "ada", epoch, some[:data-1]...); len(e) != 0 && size > 1_000 {
				t.Fatalf("complete with %d of %d", data-1, data)
			}
			events := feed(r, "ada", epoch, some[data-1:]...)
			if len(events) != 1 || !bytes.Equal(events[0].(Received).Payload, payload) {
				t.Fatalf("%d events of %d bytes in %d segments", len(events), size, len(segments))
			}
		}
	}
	// Without a code, parity of others is of no use and does no harm.
	r, _ := testReassembly(t, small)
	_, limits := testReassembly(t, smallWithParity)
	segments, err := limits.split(randomBytes(3, 10_000), nil)
	check(t, err)
	data := segments[0].count
	if e := feed(r, "ada", epoch, segments[data:]...); len(e) != 0 || len(r.sets) != 0 {
		t.Error("parity was kept")
	}
	if e := feed(r, "ada", epoch, segments[:data]...); len(e) != 1 {
		t.Errorf("%d events", len(e))
	}
}

func TestSegmentsWhoseOrderIsPending(t *testing.T) {
	r, limits := testReassembly(t, small)
	payload := randomBytes(3, 2_500)
	segments, err := limits.split(payload, randomBytes(4, setIDSize))
	check(t, err)
	message := func(i int, pending, again bool) incoming {
		return incoming{id: sds.MessageID(fmt.Sprint(i)), sender: "ada", content: segments[i].encode(), pending: pending, again: again}
	}
	if len(segments) != 3 || r.add(message(2, true, false), epoch) != nil || r.add(message(0, false, false), epoch) != nil {
		t.Fatal("complete too early")
	}
	e, ok := r.add(message(1, true, false), epoch).(Received)
	if !ok || !e.Pending || !bytes.Equal(e.Payload, payload) {
		t.Fatalf("%+v", e)
	}
	if e := r.add(message(1, false, true), epoch); e != nil {
		t.Fatalf("%+v", e)
	}
	ready, ok := r.add(message(2, false, true), epoch).(Ready)
	if !ok || !bytes.Equal(ready.Payload, payload) || ready.MessageID != e.MessageID {
		t.Fatalf("%+v", ready)
	}
}

// The same payload again is another one, also from those whose segments carry no id.
func TestEqualPayloadsAreTwo(t *testing.T) {
	r, limits := testReassembly(t, smallWithParity)
	segments, err := limits.split(randomBytes(3, 5_000), nil)
	check(t, err)
	for round := range 3 {
		if e := feed(r, "ada", epoch, segments...); len(e) != 1 {
			t.Errorf("round %d: %d events", round, len(e))
		}
	}
}

func TestHostileSegments(t *testing.T) {
	limited := small
	limited.MaxSets, limited.MaxPayloadBytes, limited.MaxSetBytes, limited.MaxSegments = 8, 20_000, 40_000, 32
	r, limits := testReassembly(t, limited)
	good, err := limits.split(randomBytes(3, 5_000), randomBytes(4, setIDSize))
	check(t, err)
	broken := func(change func(*segment)) incoming {
		s := *good[0]
		change(&s)
		return incoming{content: s.encode()}
	}
	for name, m := range map[string]incoming{
		"empty":                    {},
		"junk":                     {content: []byte("\xff\xff\xff")},
		"no data":                  broken(func(s *segment) { s.data = nil }),
		"no count":                 broken(func(s *segment) { s.count = 0 }),
		"index too high":           broken(func(s *segment) { s.index = s.count }),
		"too many":                 broken(func(s *segment) { s.count = 33 }),
		"no length":                broken(func(s *segment) { s.length = 0 }),
		"too long":                 broken(func(s *segment) { s.length = 20_001 }),
		"an odd id":                broken(func(s *segment) { s.set = []byte("short") }),
		"alone, of another hash":   broken(func(s *segment) { s.count, s.length = 1, len(s.data) }),
		"alone, of another length": broken(func(s *segment) { s.count = 1 }),
	} {
		before := r.invalid
		if e := r.add(m, epoch); e != nil || r.invalid != before+1 || len(r.sets) != 0 {
			t.Errorf("%s: %v, %d invalid, %d sets", name, e, r.invalid-before, len(r.sets))
		}
	}

	// Many that are never complete: bounded in number and bytes, and each is told.
	now := epoch
	for i := range 500 {
		now = now.Add(time.Second)
		s := *good[i%4]
		s.set = randomBytes(uint64(i), setIDSize)
		s.data = make([]byte, 1+i*20)
		feed(r, "mallory", now, &s)
		if len(r.sets) > limited.MaxSets || r.bytes > limited.MaxSetBytes+32*segmentBytes {
			t.Fatalf("%d sets, %d bytes", len(r.sets), r.bytes)
		}
	}
	if len(r.dropped)+len(r.sets) != 500 || !errors.Is(r.dropped[0].Err, errSetsFull) {
		t.Errorf("%d told, %d held", len(r.dropped), len(r.sets))
	}
	// In time, too.
	r.expire(now.Add(limits.Timeout))
	if len(r.sets) != 0 || r.bytes != 0 || !errors.Is(r.dropped[499].Err, errSetQuiet) {
		t.Errorf("%d sets, %d bytes after the timeout", len(r.sets), r.bytes)
	}
	if _, due := r.next(); due {
		t.Error("something is due")
	}

	// A segment of another sender disturbs nothing; one that claims to be of the same makes the payload fail, and it can come
	// again.
	forged := *good[0]
	forged.data = bytes.Repeat([]byte{1}, len(forged.data))
	feed(r, "mallory", now, &forged)
	if e := feed(r, "ada", now, good...); len(e) != 1 {
		t.Errorf("%d events beside a forger", len(e))
	}
	for _, s := range append(good, &forged) {
		s.set = randomBytes(99, setIDSize)
	}
	feed(r, "ada", now, &forged)
	if e := feed(r, "ada", now, good...); len(e) != 0 || !errors.Is(r.dropped[len(r.dropped)-1].Err, errSetMismatch) {
		t.Errorf("%d events with a forged segment, %v", len(e), r.dropped[len(r.dropped)-1])
	}
	if e := feed(r, "ada", now, good...); len(e) != 1 {
		t.Errorf("%d events when it came again", len(e))
	}
}

// Parity whose lengths do not fit makes nothing large, and does not panic.
func TestHostileParity(t *testing.T) {
	r, limits := testReassembly(t, smallWithParity)
	segments, err := limits.split(randomBytes(3, 3_000), nil)
	check(t, err)
	data := segments[0].count
	for i, change := range []func(s []*segment){
		func(s []*segment) { s[data].data = s[data].data[:63] },
		func(s []*segment) { s[data].data = make([]byte, 64) },
		func(s []*segment) { s[data].data = make([]byte, 1<<20) },
		func(s []*segment) { s[1].data = s[1].data[:10] },
		func(s []*segment) { s[data].index, s[data].count = 2, 3 },
	} {
		changed := make([]*segment, len(segments))
		for j, s := range segments {
			clone := *s
			clone.set = randomBytes(uint64(i), setIDSize)
			changed[j] = &clone
		}
		change(changed)
		before := len(r.dropped)
		if e := feed(r, "mallory", epoch, changed[1:]...); len(e) != 0 || len(r.dropped) != before+1 {
			t.Errorf("%d: %d events, %d dropped", i, len(e), len(r.dropped)-before)
		}
	}
	// More parity than data is refused.
	s := *segments[data]
	s.count = data
	feed(r, "mallory", epoch, segments[0], &s)
	if r.invalid != 1 {
		t.Errorf("%d invalid", r.invalid)
	}
}

func TestSegmentationOptionsAreChecked(t *testing.T) {
	config := simConfig("ada")
	for _, s := range []Segmentation{
		{SegmentBytes: 100}, {SegmentBytes: 1 << 20}, {MaxSegments: -1}, {MaxSegments: 70_000}, {ParityRate: 0.5},
		{ParityRate: 1, Parity: parity.ReedSolomon{}}, {MaxSets: -1}, {MaxPayloadBytes: 64 << 20}, {Timeout: time.Second},
	} {
		if _, err := s.complete(&config); err == nil {
			t.Errorf("%+v was accepted", s)
		}
	}
	w := newWorld(t)
	ada := w.join("ada", simConfig("ada"), segmented(Segmentation{SegmentBytes: 1 << 10, MaxPayloadBytes: 500_000, MaxSegments: 20}))
	for _, n := range []int{500_001, 20_000} {
		if _, err := ada.trySay(make([]byte, n)); !errors.Is(err, sds.ErrTooLarge) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

func FuzzSegments(f *testing.F) {
	_, limits := testReassembly(f, smallWithParity)
	segments, err := limits.split(randomBytes(3, 5_000), randomBytes(4, setIDSize))
	check(f, err)
	for _, s := range segments {
		f.Add(s.encode(), segments[0].encode())
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		limited := smallWithParity
		limited.MaxSets, limited.MaxPayloadBytes, limited.MaxSetBytes = 2, 20_000, 20_000
		r, _ := testReassembly(t, limited)
		for i, content := range [][]byte{a, b, a, b} {
			r.add(incoming{sender: "mallory", content: content, pending: i == 1, again: i == 3}, epoch)
			if held := r.bytes; held > limited.MaxSetBytes+256*segmentBytes || held < 0 || len(r.sets) > 2 {
				t.Fatalf("%d sets, %d bytes", len(r.sets), held)
			}
		}
	})
}
