package sds_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/status-im/sds-rs/go-bindings/sds"
)

// What the benchmarks do, so that the same loops in Rust can be set beside them:
//
//   - Libsds profile, one channel, default Config but for Seed (1 for the one measured and its twin, 2 for the peer),
//     ParticipantID ("alice", "bob") and the peer's CausalHistorySize of 100. Content: 200 zero bytes. Ids are given:
//     "0x" and the message's number as 64 hex digits, 66 characters.
//   - now begins at 1,700,000,000,000 ms and advances by the gap of the sub-benchmark with each message of alice's. With a
//     gap of 1 s a filter covers the 600 messages of its 10 minutes; with 1 ms it is full (10,000 ids, 18 KB).
//   - Before anything is measured, 20,000 messages go the same way: log and filter are as full as they get.
//   - Messages come in rounds of 1,000. What a round needs is made while the timer stands.
//
// Wrap: alice wraps. After every 100th message, outside what is timed, she unwraps one message of bob's, whose causal
// history names exactly these 100, and drains the 100 acknowledgements: 1 to 100 of her messages are unacknowledged at any
// time. Bob's messages are made with a twin of alice's. Nobody keeps what a wrap returns: in Rust it is dropped at once;
// here "reused" hands its memory to the next wrap, and "fresh" leaves it to the garbage collector. Told as ns/wrap and
// allocs/wrap, and, if there is a twin in Rust, as x/rust; see twin_test.go.
//
// Unwrap: bob, with the default CausalHistorySize, unwraps messages of alice's in the order sent, each delivered at once.
// Alice cancels each of hers after wrapping it. One op is one unwrap; nothing is drained, as nothing comes up.
//
// UnwrapBatch: the same, 100 messages a call.
const (
	round  = 1000
	burst  = 100
	warmUp = 20 * round
)

var gaps = []time.Duration{30 * time.Second, time.Second, time.Millisecond}

func benchConfig(id sds.ParticipantID, seed uint64, history int) sds.Config {
	config := sds.DefaultConfig()
	config.ParticipantID, config.Seed, config.Profile = id, &seed, sds.ProfileLibsds
	if history > 0 {
		config.CausalHistorySize = history
	}
	return config
}

func benchManager(b *testing.B, config sds.Config) *sds.Manager {
	b.Helper()
	m := must[*sds.Manager](b)(sds.Open(config))
	b.Cleanup(func() { check(b, m.Close()) })
	check(b, m.OpenChannel(channel, sds.ChannelOptions{}, epoch))
	return m
}

// sender makes the rounds of alice's messages.
type sender struct {
	b       *testing.B
	gap     time.Duration
	content []byte
	sent    int
}

func (s *sender) id(i int) sds.MessageID { return sds.MessageID(fmt.Sprintf("0x%064x", i)) }
func (s *sender) now(i int) time.Time    { return epoch.Add(time.Duration(i) * s.gap) }

func (s *sender) wrap(m *sds.Manager, i int, id sds.MessageID) []byte {
	wrapped, err := m.WrapOutgoing(channel, id, s.content, s.now(i))
	if err != nil {
		s.b.Fatal(err)
	}
	return wrapped.Data
}

func (s *sender) unwrap(m *sds.Manager, i int, data []byte) sds.Unwrapped {
	u, err := m.UnwrapIncoming(data, s.now(i))
	if err != nil || u.Disposition != sds.DispositionDelivered {
		s.b.Fatal(u, err)
	}
	return u
}

func BenchmarkWrap(b *testing.B) {
	for _, gap := range gaps {
		b.Run(gap.String()+"/reused", func(b *testing.B) { benchWrap(b, gap, true) })
		b.Run(gap.String()+"/fresh", func(b *testing.B) { benchWrap(b, gap, false) })
	}
}

func benchWrap(b *testing.B, gap time.Duration, reuse bool) {
	alice := benchManager(b, benchConfig("alice", 1, 0))
	aliceTwin := benchManager(b, benchConfig("alice", 1, 0))
	bob := benchManager(b, benchConfig("bob", 2, burst))
	s := &sender{b: b, gap: gap, content: make([]byte, 200)}
	acknowledge := func(m *sds.Manager, i int, ack []byte) {
		s.unwrap(m, i, ack)
		if got := len(must[[]sds.Output](b)(m.Drain())); got != burst {
			b.Fatalf("%d outputs for %d acknowledgements", got, burst)
		}
	}
	var ids []sds.MessageID
	var acks [][]byte
	prepare := func() {
		ids, acks = ids[:0], acks[:0]
		for i := s.sent; i < s.sent+round; i++ {
			ids = append(ids, s.id(i))
			s.unwrap(bob, i, s.wrap(aliceTwin, i, s.id(i)))
			if (i+1)%burst == 0 {
				ack := must[sds.Wrapped](b)(bob.WrapOutgoing(channel, s.id(1<<40+i), s.content, s.now(i)))
				check(b, bob.Cancel(channel, ack.MessageID, s.now(i)))
				acks = append(acks, ack.Data)
				acknowledge(aliceTwin, i, ack.Data)
				must[[]sds.Output](b)(bob.Drain())
			}
		}
	}
	var memory []byte
	wrap := func(i int, id sds.MessageID) {
		if !reuse {
			s.wrap(alice, i, id)
			return
		}
		wrapped, err := alice.AppendOutgoing(memory[:0], channel, id, s.content, s.now(i))
		if err != nil {
			b.Fatal(err)
		}
		memory = wrapped.Data
	}
	run := func() (wrapping time.Duration) {
		for first := 0; first < round; first += burst {
			start := time.Now()
			for n := first; n < first+burst; n++ {
				wrap(s.sent+n, ids[n])
			}
			wrapping += time.Since(start)
			acknowledge(alice, s.sent+first+burst-1, acks[first/burst])
		}
		s.sent += round
		return wrapping
	}
	for s.sent < warmUp {
		prepare()
		run()
	}
	rust := startTwin(b, gap)
	here, there := time.Duration(math.MaxInt64), time.Duration(math.MaxInt64)
	for range (b.N + round - 1) / round {
		prepare()
		here = min(here, run())
		if rust != nil {
			there = min(there, rust.round())
		}
	}
	b.ReportMetric(float64(here.Nanoseconds())/round, "ns/wrap")
	if rust != nil {
		b.ReportMetric(float64(here)/float64(there), "x/rust")
	}
	prepare()
	next := 0
	allocs := testing.AllocsPerRun(burst-2, func() {
		wrap(s.sent+next, ids[next])
		next++
	})
	b.ReportMetric(allocs, "allocs/wrap")
}

// benchUnwrap lets receive take rounds of alice's messages.
func benchUnwrap(b *testing.B, receive func(s *sender, bob *sds.Manager, first int, data [][]byte)) {
	for _, gap := range gaps {
		b.Run(gap.String(), func(b *testing.B) {
			alice := benchManager(b, benchConfig("alice", 1, 0))
			bob := benchManager(b, benchConfig("bob", 2, 0))
			s := &sender{b: b, gap: gap, content: make([]byte, 200)}
			var data [][]byte
			prepare := func(count int) {
				data = data[:0]
				for i := s.sent; i < s.sent+count; i++ {
					data = append(data, s.wrap(alice, i, s.id(i)))
					check(b, alice.Cancel(channel, s.id(i), s.now(i)))
				}
			}
			run := func(count int) {
				receive(s, bob, s.sent, data)
				s.sent += count
			}
			for s.sent < warmUp {
				prepare(round)
				run(round)
			}
			b.ReportAllocs()
			b.ResetTimer()
			for done := 0; done < b.N; done += round {
				count := min(round, b.N-done)
				b.StopTimer()
				prepare(count)
				b.StartTimer()
				run(count)
			}
		})
	}
}

func BenchmarkUnwrap(b *testing.B) {
	benchUnwrap(b, func(s *sender, bob *sds.Manager, first int, data [][]byte) {
		for i := range data {
			s.unwrap(bob, first+i, data[i])
		}
	})
}

func BenchmarkUnwrapBatch(b *testing.B) {
	benchUnwrap(b, func(s *sender, bob *sds.Manager, first int, data [][]byte) {
		for i := 0; i < len(data); i += burst {
			batch := data[i:min(i+burst, len(data))]
			results, err := bob.UnwrapIncomingBatch(batch, s.now(first+i+len(batch)-1))
			if err != nil || len(results) != len(batch) {
				s.b.Fatal(err)
			}
		}
	})
}

// BenchmarkNextDeadline is the price of crossing to the library and back.
func BenchmarkNextDeadline(b *testing.B) {
	m := benchManager(b, benchConfig("alice", 1, 0))
	b.ReportAllocs()
	for range b.N {
		if _, _, err := m.NextDeadline(); err != nil {
			b.Fatal(err)
		}
	}
}
