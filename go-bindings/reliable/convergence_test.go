package reliable

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/status-im/sds-rs/go-bindings/internal/lossy"
)

func lossyNetwork(loss float64) lossy.Options {
	return lossy.Options{
		Loss: loss, Duplicate: 0.05, Reorder: 0.1,
		MinDelay: 10 * time.Millisecond, MaxDelay: 80 * time.Millisecond, HeldUp: time.Second,
	}
}

// chat has everybody say so many things, at intervals that are no whole number of anything.
func chat(w *world, rounds int) (total int) {
	for round := range rounds {
		for i, p := range w.peers {
			w.run(time.Duration(700+137*((round+i)%5)) * time.Millisecond)
			p.say(fmt.Sprintf("%s says %d", p.name, round))
			total++
		}
	}
	return total
}

// everywhere is true when everybody has everything. All synced comes before that: nobody can know that it misses what nobody
// that it heard has named.
func everywhere(w *world, rounds int) func() bool {
	return func() bool {
		return allSynced(w)() && !slices.ContainsFunc(w.peers, func(p *peer) bool {
			return len(p.shown) < rounds*(len(w.peers)-1)
		})
	}
}

// equalLogs fails unless everybody has everything, in the same order, and knows that what it sent is there.
func equalLogs(w *world, rounds int) {
	w.t.Helper()
	first := w.peers[0].engineLog()
	for _, p := range w.peers {
		if log := p.engineLog(); !slices.Equal(log, first) || len(log) != rounds*len(w.peers) {
			w.t.Errorf("%s: a log of %d, that of %s has %d, and they should be equal and have %d",
				p.name, len(log), w.peers[0].name, len(first), rounds*len(w.peers))
		}
		if got, want := len(p.shown), rounds*(len(w.peers)-1); got != want {
			w.t.Errorf("%s: was shown %d of %d", p.name, got, want)
		}
		for id, ready := range p.ready {
			if !ready {
				w.t.Errorf("%s: %s is still pending", p.name, id)
			}
		}
		for _, name := range []string{"sent", "delivered"} {
			if got := p.count(name); got != rounds {
				w.t.Errorf("%s: %d of its %d are %s", p.name, got, rounds, name)
			}
		}
		if p.count("delivery-error")+p.count("send-error")+p.count("lost") > 0 {
			w.t.Errorf("%s: %v", p.name, p.names())
		}
	}
}

func TestLogsEndEqualOverALossyNetworkAndAStoreWithOutages(t *testing.T) {
	// Outages last so long that everybody misses something in one of them.
	const down, up = 6, 4
	for seed := range uint64(3) {
		w := newWorld(t)
		w.seed = seed
		w.network = lossyNetwork(0.2)
		for _, name := range []string{"ada", "bo", "cy", "dee", "eve"} {
			w.simple(name)
		}
		for range 3 {
			w.storeDown = true
			chat(w, down)
			w.storeDown = false
			chat(w, up)
		}
		rounds := 3 * (down + up)
		w.until(20*time.Minute, "everything everywhere", everywhere(w, rounds))
		equalLogs(w, rounds)
		recovered := 0
		for _, p := range w.peers {
			recovered += p.count("recovered")
			if p.core.stats.FetchErrors == 0 || p.core.stats.Fetched == 0 {
				t.Errorf("%s: %+v: the store was to fail, and to help", p.name, p.core.stats)
			}
		}
		if recovered == 0 {
			t.Error("nothing had to be recovered")
		}
	}
}

// Without a store, resends and the other members repair (SDS-R).
func TestLogsEndEqualWithoutAStore(t *testing.T) {
	w := newWorld(t)
	w.network = lossyNetwork(0.2)
	for _, name := range []string{"ada", "bo", "cy", "dee"} {
		config := simConfig(name)
		config.SDS.CausalHistorySize = 10
		config.SDS.DependencyTimeout = time.Hour
		w.join(name, config, ChannelOptions{}).core.fetching.notBefore = w.after(1_000 * time.Hour)
	}
	chat(w, 15)
	w.until(time.Hour, "everything everywhere", everywhere(w, 15))
	equalLogs(w, 15)
	if len(w.queries) != 0 {
		t.Errorf("the store was asked %d times", len(w.queries))
	}
	asked, answered := 0, 0
	for _, p := range w.peers {
		asked += p.count("repair-requested")
		answered += p.count("repair-answered")
	}
	if asked == 0 || answered == 0 {
		t.Errorf("%d repairs asked for, %d answered: there was nothing to repair", asked, answered)
	}
}
