// Package lossy makes a bad network of a good one: it drops, duplicates and delays packets, as a seed decides.
package lossy

import (
	"hash/fnv"
	"math/rand/v2"
	"time"
)

// Options says how bad. Rates are probabilities, 0 to 1, for each packet and each receiver.
type Options struct {
	Loss      float64
	Duplicate float64
	// Reorder is how often a packet is held up for long enough to be overtaken.
	Reorder float64
	// MinDelay and MaxDelay bound the usual way of a packet, HeldUp what is added at most to one that is held up.
	MinDelay, MaxDelay, HeldUp time.Duration
}

// Fate is what becomes of one packet.
type Fate struct {
	// Delays has one entry per copy that arrives; none if the packet is dropped.
	Delays []time.Duration
	// HeldUp is true if the first copy was held up.
	HeldUp bool
}

// Link is the way from one participant to another. What happens to its n-th packet follows from the seed, whatever the
// options of other links and the contents of the packets.
type Link struct {
	options Options
	random  *rand.Rand
}

// NewLink makes the link between two participants.
func NewLink(seed uint64, from, to string, options Options) *Link {
	name := fnv.New64a()
	name.Write([]byte(from + "\x00" + to))
	return &Link{options: options, random: rand.New(rand.NewPCG(seed, name.Sum64()))}
}

// Next decides about the next packet.
func (l *Link) Next() Fate {
	// Every packet takes the same number of draws, so that one more drop does not change the fate of all that follow.
	drop, twice, held := l.random.Float64(), l.random.Float64(), l.random.Float64()
	way, extra, second := l.random.Float64(), l.random.Float64(), l.random.Float64()
	if drop < l.options.Loss {
		return Fate{}
	}
	between := func(share float64) time.Duration {
		return l.options.MinDelay + time.Duration(share*float64(l.options.MaxDelay-l.options.MinDelay))
	}
	fate := Fate{Delays: []time.Duration{between(way)}, HeldUp: held < l.options.Reorder}
	if fate.HeldUp {
		fate.Delays[0] += time.Duration(extra * float64(l.options.HeldUp))
	}
	if twice < l.options.Duplicate {
		fate.Delays = append(fate.Delays, between(second)+l.options.HeldUp/4)
	}
	return fate
}
