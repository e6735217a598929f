package reliable

import (
	"sync"
	"time"
)

// class is what a publication is for. Lower ones go first.
type class int

const (
	classChat class = iota
	classResend
	classRepair
	classSync
	classes
)

func (c class) String() string {
	return [...]string{"chat", "resend", "repair", "sync"}[c]
}

// DefaultEpoch is the epoch of RLN, the rate limit of Waku.
const DefaultEpoch = 600 * time.Second

// RateLimiter limits how many messages go out in an epoch, of all kinds together: chat, resends, repair and sync. Chat goes
// first, and of each epoch a part is kept for it: resends may use seven eighths, repair three quarters, sync a half. What has
// no room waits for the next epoch. Epochs begin at whole multiples of their length since 1970, as those of RLN do.
//
// One limiter may serve several clients, as a node has one limit for everything. It may be used from any goroutine.
type RateLimiter struct {
	messages int
	epoch    time.Duration

	mu sync.Mutex
	// recent are the epochs that messages went out in lately. A clock that is set back finds the one that it was in before.
	recent [4]usedEpoch
	next   int
}

type usedEpoch struct {
	number int64
	used   int
}

// NewRateLimiter makes a limiter of so many messages, at least 1, per epoch; an epoch of 0 is DefaultEpoch.
//
// A new limiter does not know what a former process used of the current epoch. Whoever must not exceed it restores that with
// SetUsed.
func NewRateLimiter(messages int, epoch time.Duration) *RateLimiter {
	if epoch <= 0 {
		epoch = DefaultEpoch
	}
	return &RateLimiter{messages: max(messages, 1), epoch: epoch}
}

// Used tells how many messages went out in the epoch of a time.
func (l *RateLimiter) Used(now time.Time) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.at(now).used
}

// SetUsed sets how many messages went out in the epoch of a time.
func (l *RateLimiter) SetUsed(messages int, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.at(now).used = messages
}

// take allows a message, or tells when to ask again.
func (l *RateLimiter) take(class class, now time.Time) (ok bool, again time.Time) {
	if l == nil {
		return true, now
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	epoch := l.at(now)
	if epoch.used < l.share(class) {
		epoch.used++
		return true, now
	}
	return false, time.Unix(0, (epoch.number+1)*int64(l.epoch))
}

// share is how much of an epoch may be used up when a message of a class goes out. However small the limit, each class gets
// one if no other wants it.
func (l *RateLimiter) share(class class) int {
	eighths := [classes]int{classChat: 8, classResend: 7, classRepair: 6, classSync: 4}[class]
	return max(1, l.messages*eighths/8)
}

// at is the epoch of a time.
func (l *RateLimiter) at(now time.Time) *usedEpoch {
	number := now.UnixNano() / int64(l.epoch)
	for i := range l.recent {
		if l.recent[i].number == number {
			return &l.recent[i]
		}
	}
	epoch := &l.recent[l.next]
	l.next = (l.next + 1) % len(l.recent)
	*epoch = usedEpoch{number: number}
	return epoch
}
