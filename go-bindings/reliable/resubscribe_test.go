//go:build go1.25

package reliable_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/status-im/sds-rs/go-bindings/internal/lossy"
	"github.com/status-im/sds-rs/go-bindings/internal/memnet"
	"github.com/status-im/sds-rs/go-bindings/reliable"
)

// fickle is a node whose subscriptions end as a test says.
type fickle struct {
	*memnet.Node
	began time.Time

	mu sync.Mutex
	// refuses: the next subscriptions fail; lasts is how long those that do not last.
	refuses bool
	lasts   time.Duration
	asked   []time.Duration
}

func (f *fickle) Subscribe(context.Context, string) (<-chan reliable.Message, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, time.Since(f.began).Round(time.Second))
	if f.refuses {
		return nil, memnet.ErrDown
	}
	messages := make(chan reliable.Message)
	time.AfterFunc(f.lasts, func() { close(messages) })
	return messages, nil
}

func (f *fickle) set(refuses bool, lasts time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refuses, f.lasts = refuses, lasts
}

// since are the times of the attempts after a time.
func (f *fickle) since(after time.Duration) (asked []time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, at := range f.asked {
		if at > after {
			asked = append(asked, at-after)
		}
	}
	return asked
}

func resubscribing(t *testing.T, lasts time.Duration, test func(*fickle, *reliable.Client)) {
	synctest.Test(t, func(t *testing.T) {
		node := &fickle{Node: memnet.New(1, lossy.Options{}).Node("ada"), began: time.Now(), lasts: lasts}
		client := open(t, node, reliable.DefaultConfig("ada"))
		defer client.Close()
		mustChannel(t, client, "room")
		test(node, client)
	})
}

func seconds(numbers ...int) (durations []time.Duration) {
	for _, n := range numbers {
		durations = append(durations, time.Duration(n)*time.Second)
	}
	return durations
}

func expectAsked(t *testing.T, got, want []time.Duration) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("subscribed after %v, want %v", got, want)
	}
}

// A node that refuses a subscription, or ends it at once, is asked less and less.
func TestSubscriptionsAreMadeAgainWithBackoff(t *testing.T) {
	for name, refuses := range map[string]bool{"refused": true, "ended": false} {
		t.Run(name, func(t *testing.T) {
			resubscribing(t, 0, func(node *fickle, _ *reliable.Client) {
				node.set(refuses, 0)
				time.Sleep(4 * time.Minute)
				expectAsked(t, node.since(0), seconds(1, 3, 7, 15, 31, 63, 123, 183))
				// One that lasts makes up for those before it.
				node.set(false, time.Hour)
				time.Sleep(time.Hour + 20*time.Second)
				expectAsked(t, node.since(4*time.Minute), seconds(3, 3_604))
			})
		})
	}
}

// Paused or offline no subscription is made, and afterwards at once.
func TestSubscriptionsAreNotMadeWhilePaused(t *testing.T) {
	for name, toggle := range map[string]struct{ off, on func(*reliable.Client) }{
		"paused":  {(*reliable.Client).Pause, (*reliable.Client).Resume},
		"offline": {func(c *reliable.Client) { c.SetOnline(false) }, func(c *reliable.Client) { c.SetOnline(true) }},
	} {
		t.Run(name, func(t *testing.T) {
			resubscribing(t, time.Second, func(node *fickle, client *reliable.Client) {
				node.set(true, 0)
				time.Sleep(20 * time.Second)
				toggle.off(client)
				time.Sleep(time.Hour)
				if asked := node.since(20 * time.Second); len(asked) != 0 {
					t.Errorf("subscribed after %v", asked)
				}
				node.set(false, time.Hour)
				toggle.on(client)
				synctest.Wait()
				expectAsked(t, node.since(20*time.Second), seconds(3600))
			})
		})
	}
}

// A node that refuses is told of once, until it no longer does: the application would take it for silence.
func TestASubscriptionThatIsRefusedIsAProblem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		node := &fickle{Node: memnet.New(1, lossy.Options{}).Node("ada"), began: time.Now(), lasts: time.Second}
		client := open(t, node, reliable.DefaultConfig("ada"))
		defer client.Close()
		r := read(create(t, client, "room", reliable.ChannelOptions{}))
		other := read(create(t, client, "other", reliable.ChannelOptions{}))
		for trouble := range 3 {
			node.set(true, 0)
			time.Sleep(10 * time.Minute)
			if n, m := r.count("problem"), other.count("problem"); n != trouble+1 || m != trouble+1 {
				t.Errorf("%d and %d problems after trouble %d", n, m, trouble)
			}
			node.set(false, 2*time.Minute)
			time.Sleep(2 * time.Minute)
		}
	})
}

// So it is while nobody reads the events, though nothing would be taken in then.
func TestSubscriptionsAreMadeAgainWhileEventsAreUnread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		node := &fickle{Node: memnet.New(1, lossy.Options{}).Node("ada"), began: time.Now(), lasts: time.Second}
		client := open(t, node, reliable.DefaultConfig("ada"))
		defer client.Close()
		// Room for the problem, and one more.
		unread := create(t, client, "room", reliable.ChannelOptions{EventLimit: 2})
		node.set(true, 0)
		time.Sleep(5 * time.Second)
		_, err := unread.Send([]byte("hello"))
		check(t, err)
		synctest.Wait()
		if _, err := unread.Send([]byte("hello")); !errors.Is(err, reliable.ErrEventsUnread) {
			t.Fatal(err)
		}
		client.Pause()
		time.Sleep(time.Hour)
		client.Resume()
		synctest.Wait()
		expectAsked(t, node.since(5*time.Second), seconds(3_600))
	})
}
