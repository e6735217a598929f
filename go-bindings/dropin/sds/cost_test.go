//go:build go1.25

package sds_test

import (
	"math"
	"runtime"
	"testing"
	"time"

	"github.com/waku-org/sds-go-bindings/engine"
	"github.com/waku-org/sds-go-bindings/sds"
)

// What a call through the drop-in costs with a short history and a long one, as status-go calls it: without an identity,
// with all callbacks and a provider of hints, ids of 66 characters and payloads of 200 bytes.
//
// The history are messages of a peer, one a second and the last one now, so that a filter covers 600 of them, however many
// there were before. The clock of the drop-in is the real one: the calls that are measured, a round of 1,000, all happen
// within its first second, and add themselves to that filter. Each round is made with fresh managers, long and short
// histories in turn, and the best one of each counts.
const (
	shortHistory, longHistory = 1_000, 10_000
	roundCalls                = 1_000
)

// costs is what a call costs.
type costs struct {
	ns, bytes, allocs float64
	// returned are the bytes of it that belong to the caller.
	returned float64
}

// scene is a manager that received a history, and the peer that it received it from.
type scene struct {
	t    testing.TB
	rm   *sds.ReliabilityManager
	peer *engine.Manager
	now  time.Time
	sent int
}

func newScene(t testing.TB, history int) *scene {
	t.Helper()
	s := &scene{t: t, now: time.Now().Add(-time.Duration(history) * time.Second)}
	hint := make([]byte, 34)
	s.rm = must[*sds.ReliabilityManager](t)(sds.NewReliabilityManager(nil))
	s.rm.RegisterCallbacks(sds.EventCallbacks{
		OnMessageReady:        func(sds.MessageID, string) {},
		OnMessageSent:         func(sds.MessageID, string) {},
		OnMissingDependencies: func(sds.MessageID, []sds.HistoryEntry, string) { t.Error("a message is missing") },
		RetrievalHintProvider: func(sds.MessageID) []byte { return hint },
	})
	s.peer = must[*engine.Manager](t)(engine.Open(sds.DefaultConfig()))
	for range history {
		s.now = s.now.Add(time.Second)
		must[engine.Unwrapped](t)(s.rm.Engine().UnwrapIncoming(s.said(), s.now))
	}
	return s
}

func (s *scene) close() {
	check(s.t, s.rm.Cleanup())
	check(s.t, s.peer.Close())
}

// said is the next message of the peer, which nobody has to acknowledge.
func (s *scene) said() []byte {
	s.sent++
	next := engine.MessageID(id(s.sent))
	wrapped := must[engine.Wrapped](s.t)(s.peer.WrapOutgoing(channel, next, make([]byte, 200), s.now))
	check(s.t, s.peer.Cancel(channel, next, s.now))
	return wrapped.Data
}

// measure makes a round of calls.
func measure(round func()) costs {
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	round()
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	return costs{
		ns:     float64(took.Nanoseconds()) / roundCalls,
		bytes:  float64(after.TotalAlloc-before.TotalAlloc) / roundCalls,
		allocs: float64(after.Mallocs-before.Mallocs) / roundCalls,
	}
}

func wrapRound(t testing.TB, history int) costs {
	s := newScene(t, history)
	defer s.close()
	content := make([]byte, 200)
	ids := make([]sds.MessageID, roundCalls)
	for i := range ids {
		ids[i] = id(1_000_000 + i)
	}
	total := 0
	cost := measure(func() {
		for _, id := range ids {
			data, err := s.rm.WrapOutgoingMessage(content, id, channel)
			if err != nil {
				t.Fatal(err)
			}
			total += len(data)
		}
	})
	cost.returned = float64(total) / roundCalls
	return cost
}

func unwrapRound(t testing.TB, history int) costs {
	s := newScene(t, history)
	defer s.close()
	messages := make([][]byte, roundCalls)
	for i := range messages {
		messages[i] = s.said()
	}
	total := 0
	cost := measure(func() {
		for _, message := range messages {
			u, err := s.rm.UnwrapReceivedMessage(message)
			if err != nil {
				t.Fatal(err)
			}
			total += len(*u.Message)
		}
	})
	cost.returned = float64(total) / roundCalls
	return cost
}

func benchRounds(b *testing.B, round func(t testing.TB, history int) costs) {
	best := map[int]costs{shortHistory: {ns: math.MaxFloat64}, longHistory: {ns: math.MaxFloat64}}
	for range b.N {
		for _, history := range []int{shortHistory, longHistory} {
			if cost := round(b, history); cost.ns < best[history].ns {
				best[history] = cost
			}
		}
	}
	short, long := best[shortHistory], best[longHistory]
	b.ReportMetric(1e9/short.ns, "calls/s-1000")
	b.ReportMetric(1e9/long.ns, "calls/s-10000")
	b.ReportMetric(short.bytes, "B/call-1000")
	b.ReportMetric(long.bytes, "B/call-10000")
	b.ReportMetric(short.returned, "B/returned-1000")
	b.ReportMetric(long.returned, "B/returned-10000")
	b.ReportMetric(long.ns/short.ns, "x/flat")
}

func BenchmarkDropinWrap(b *testing.B)   { benchRounds(b, wrapRound) }
func BenchmarkDropinUnwrap(b *testing.B) { benchRounds(b, unwrapRound) }
