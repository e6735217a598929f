package reliable

import "time"

// Clock tells the time. Tests and simulations bring their own.
type Clock interface {
	// Now is the time.
	Now() time.Time
	// After returns a channel that gets a value after a duration, and a function that frees what it took to do so.
	After(d time.Duration) (fired <-chan time.Time, stop func())
}

type wallClock struct{}

func (wallClock) Now() time.Time { return time.Now() }

func (wallClock) After(d time.Duration) (<-chan time.Time, func()) {
	timer := time.NewTimer(d)
	return timer.C, func() { timer.Stop() }
}
