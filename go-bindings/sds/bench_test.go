package sds_test

import (
	"fmt"
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
// time. Told as ns/wrap and allocs/wrap. Bob's messages are made with a twin of alice's.
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
		b.Run(gap.String(), func(b *testing.B) {
			alice := benchManager(b, benchConfig("alice", 1, 0))
			twin := benchManager(b, benchConfig("alice", 1, 0))
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
					s.unwrap(bob, i, s.wrap(twin, i, s.id(i)))
					if (i+1)%burst == 0 {
						ack := must[sds.Wrapped](b)(bob.WrapOutgoing(channel, sds.MessageID(fmt.Sprintf("0x%064x", 1<<40+i)), s.content, s.now(i)))
						check(b, bob.Cancel(channel, ack.MessageID, s.now(i)))
						acks = append(acks, ack.Data)
						acknowledge(twin, i, ack.Data)
						must[[]sds.Output](b)(bob.Drain())
					}
				}
			}
			var wrapping time.Duration
			run := func(count int) {
				start := time.Now()
				for n := range count {
					i := s.sent + n
					s.wrap(alice, i, ids[n])
					if (n+1)%burst == 0 {
						wrapping += time.Since(start)
						acknowledge(alice, i, acks[n/burst])
						start = time.Now()
					}
				}
				s.sent += round
			}
			for s.sent < warmUp {
				prepare()
				run(round)
			}
			wrapping = 0
			rounds := (b.N + round - 1) / round
			for range rounds {
				prepare()
				run(round)
			}
			b.ReportMetric(float64(wrapping.Nanoseconds())/float64(rounds*round), "ns/wrap")
			prepare()
			next := 0
			allocs := testing.AllocsPerRun(burst-2, func() {
				s.wrap(alice, s.sent+next, ids[next])
				next++
			})
			b.ReportMetric(allocs, "allocs/wrap")
		})
	}
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
