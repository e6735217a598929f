// Package memnet is a network in memory, with a store, for tests and examples: it loses, repeats and delays, and its store can
// be down.
package memnet

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"sync"
	"time"

	"github.com/status-im/sds-rs/go-bindings/internal/lossy"
	"github.com/status-im/sds-rs/go-bindings/internal/packetstore"
	"github.com/status-im/sds-rs/go-bindings/reliable"
)

// inbox is how many messages wait for a subscriber that does not take them; what does not fit is lost.
const inbox = 256

// ErrDown is what a node, or the store, returns that is down.
var ErrDown = errors.New("memnet: down")

// Network is what nodes are part of. It may be used from any goroutine.
type Network struct {
	options lossy.Options
	seed    uint64
	store   *packetstore.Store

	mu        sync.Mutex
	nodes     []*Node
	storeDown bool
	seen      map[[sha256.Size]byte]bool
	equal     int
}

// New makes a network. What happens to the n-th message from one node to another follows from the seed.
func New(seed uint64, options lossy.Options) *Network {
	return &Network{
		options: options, seed: seed, store: packetstore.New(100_000), seen: make(map[[sha256.Size]byte]bool),
	}
}

// SetStoreDown takes the store away, or brings it back.
func (n *Network) SetStoreDown(down bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.storeDown = down
}

// Equal counts envelopes that equalled one before them, and were dropped for it.
func (n *Network) Equal() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.equal
}

// Node is a reliable.Node.
type Node struct {
	network *Network
	name    string

	// The rest is guarded by the network's lock.
	links       map[*Node]*lossy.Link
	down        bool
	subscribers []*subscriber
}

type subscriber struct {
	topic    string
	messages chan reliable.Message
	// done is true once the channel is closed.
	done bool
}

// Node adds a node.
func (n *Network) Node(name string) *Node {
	n.mu.Lock()
	defer n.mu.Unlock()
	node := &Node{network: n, name: name, links: make(map[*Node]*lossy.Link)}
	n.nodes = append(n.nodes, node)
	return node
}

// SetDown takes a node off the network, or brings it back. Off it, publishing and fetching fail and nothing comes.
func (n *Node) SetDown(down bool) {
	n.network.mu.Lock()
	defer n.network.mu.Unlock()
	n.down = down
}

// Publish sends to all others that are subscribed, and to the store.
func (n *Node) Publish(ctx context.Context, topic string, payload []byte, timestamp time.Time) ([]byte, error) {
	network := n.network
	network.mu.Lock()
	defer network.mu.Unlock()
	if n.down {
		return nil, ErrDown
	}
	packet := binary.BigEndian.AppendUint64(nil, uint64(timestamp.UnixNano()))
	packet = append(append(append(packet, topic...), 0), payload...)
	hash := network.store.Put(packet)
	if key := [sha256.Size]byte(hash); network.seen[key] {
		network.equal++
		return hash, nil
	} else {
		network.seen[key] = true
	}
	message := reliable.Message{Hash: hash, Payload: bytes.Clone(payload)}
	for _, to := range network.nodes {
		if to == n {
			continue
		}
		link := n.links[to]
		if link == nil {
			link = lossy.NewLink(network.seed, n.name, to.name, network.options)
			n.links[to] = link
		}
		for _, delay := range link.Next().Delays {
			time.AfterFunc(delay, func() { to.deliver(topic, message) })
		}
	}
	return hash, nil
}

func (n *Node) deliver(topic string, message reliable.Message) {
	n.network.mu.Lock()
	defer n.network.mu.Unlock()
	if n.down {
		return
	}
	for _, s := range n.subscribers {
		if s.done || s.topic != topic {
			continue
		}
		select {
		case s.messages <- message:
		default: // a full buffer drops, as in any network
		}
	}
}

// Subscribe brings what others publish under a topic.
func (n *Node) Subscribe(ctx context.Context, topic string) (<-chan reliable.Message, error) {
	n.network.mu.Lock()
	defer n.network.mu.Unlock()
	s := &subscriber{topic: topic, messages: make(chan reliable.Message, inbox)}
	n.subscribers = append(n.subscribers, s)
	context.AfterFunc(ctx, func() {
		n.network.mu.Lock()
		defer n.network.mu.Unlock()
		s.end()
	})
	return s.messages, nil
}

func (s *subscriber) end() {
	if !s.done {
		s.done = true
		close(s.messages)
	}
}

// EndSubscriptions ends all subscriptions of a node, as a node does that is restarted.
func (n *Node) EndSubscriptions() {
	n.network.mu.Lock()
	defer n.network.mu.Unlock()
	for _, s := range n.subscribers {
		s.end()
	}
	n.subscribers = nil
}

// Fetch asks the store.
func (n *Node) Fetch(ctx context.Context, hashes [][]byte) ([]reliable.Message, error) {
	timer := time.NewTimer(100 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-timer.C:
	}
	n.network.mu.Lock()
	defer n.network.mu.Unlock()
	if n.down || n.network.storeDown {
		return nil, ErrDown
	}
	var found []reliable.Message
	for _, hash := range hashes {
		if packet := n.network.store.Get(hash); packet != nil {
			at := 8 + bytes.IndexByte(packet[8:], 0) + 1
			found = append(found, reliable.Message{Hash: hash, Payload: packet[at:]})
		}
	}
	return found, nil
}
