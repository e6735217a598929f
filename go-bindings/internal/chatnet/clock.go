// Package chatnet is a participant of a chat: an SDS manager, a UDP socket on loopback, a network made bad on purpose,
// and recovery by retrieval hint. The demo and the interactive chat are made of it.
package chatnet

import (
	"sync"
	"time"
)

// maxStep is the most that a faster clock moves between two looks at it. A machine that stalls for a moment must not
// look like a network that is silent for minutes.
const maxStep = time.Second

// Clock tells the time that participants live in.
type Clock struct {
	speed float64

	mu   sync.Mutex
	wall time.Time
	now  time.Time
}

// WallClock is the time of day.
func WallClock() *Clock { return &Clock{} }

// FastClock begins at start and runs speed times as fast as the wall's.
func FastClock(start time.Time, speed float64) *Clock {
	return &Clock{speed: speed, wall: time.Now(), now: start}
}

// Now is the time.
func (c *Clock) Now() time.Time {
	if c.speed == 0 {
		return time.Now()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	wall := time.Now()
	c.now = c.now.Add(min(time.Duration(float64(wall.Sub(c.wall))*c.speed), maxStep))
	c.wall = wall
	return c.now
}

// Sleep tells how long to sleep, by the wall, before a look at the clock is due again for an appointment at t.
func (c *Clock) Sleep(t time.Time) time.Duration {
	wait := t.Sub(c.Now())
	if c.speed > 0 {
		wait = time.Duration(float64(min(wait, maxStep)) / c.speed)
	}
	return max(wait, 0)
}
