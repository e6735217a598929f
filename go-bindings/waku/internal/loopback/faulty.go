package loopback

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/status-im/sds-rs/go-bindings/internal/lossy"
	"github.com/status-im/sds-rs/go-bindings/reliable"
)

// Faulty is a network that loses what it is told to, between the node and the application.
type Faulty struct {
	reliable.Node
	// Loses says whether a message that was relayed is lost; nil: none is. Fetched ones never are.
	Loses func(message reliable.Message) bool
	lost  atomic.Int64
}

// Lost counts what was lost.
func (f *Faulty) Lost() int64 { return f.lost.Load() }

// Subscribe is the node's, without what is lost.
func (f *Faulty) Subscribe(ctx context.Context, contentTopic string) (<-chan reliable.Message, error) {
	messages, err := f.Node.Subscribe(ctx, contentTopic)
	if err != nil || f.Loses == nil {
		return messages, err
	}
	passed := make(chan reliable.Message)
	go func() {
		defer close(passed)
		for message := range messages {
			if f.Loses(message) {
				f.lost.Add(1)
				continue
			}
			select {
			case passed <- message:
			case <-ctx.Done():
				return
			}
		}
	}()
	return passed, nil
}

// Share loses a share of all messages, as a seed decides.
func Share(seed uint64, name string, loss float64) func(reliable.Message) bool {
	var mu sync.Mutex
	link := lossy.NewLink(seed, "everybody", name, lossy.Options{Loss: loss})
	return func(reliable.Message) bool {
		mu.Lock()
		defer mu.Unlock()
		return len(link.Next().Delays) == 0
	}
}
