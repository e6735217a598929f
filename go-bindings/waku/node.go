package waku

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/waku-org/go-waku/waku/v2/node"
	"github.com/waku-org/go-waku/waku/v2/protocol"
	"github.com/waku-org/go-waku/waku/v2/protocol/lightpush"
	"github.com/waku-org/go-waku/waku/v2/protocol/pb"
	"github.com/waku-org/go-waku/waku/v2/protocol/relay"

	"github.com/status-im/sds-rs/go-bindings/reliable"
)

// defaultBuffer is how many messages may wait in a subscription.
const defaultBuffer = 1_024

// Config says how a [Node] uses the network. The zero value is a relay node with autosharding and without a store.
type Config struct {
	// PubsubTopic is the topic that messages are relayed in. Empty: it follows from the content topic (autosharding).
	PubsubTopic string
	// Light publishes over lightpush and receives over filter: the node needs both, and a peer that serves them.
	Light bool
	// StorePeers are asked for messages by hash, in this order, each for what those before it did not have. Their addresses are
	// in the node's peerstore. None: there is no store, and members repair among themselves. See [Node.SetStorePeers].
	StorePeers []peer.ID
	// Buffer is how many messages may wait in a subscription while the application does not read; what comes then is
	// dropped, and noticed and fetched later. Default: 1,024.
	Buffer int
}

// Node is a reliable.Node over a go-waku node. Any number of clients may share it. It has no state of its own to close: stop
// the go-waku node after the clients are closed.
type Node struct {
	node    *node.WakuNode
	config  Config
	stores  atomic.Pointer[[]peer.ID]
	dropped atomic.Uint64
}

var _ reliable.Node = (*Node)(nil)

// New makes a Node over a go-waku node, which must be started before a client uses it.
//
// Errors: the node is nil, or lacks a protocol that the configuration needs.
func New(wakuNode *node.WakuNode, config Config) (*Node, error) {
	if wakuNode == nil {
		return nil, errors.New("waku: the node is nil")
	}
	switch {
	case config.Light && (wakuNode.Lightpush() == nil || wakuNode.FilterLightnode() == nil):
		return nil, errors.New("waku: a light node needs lightpush and filter: node.WithLightPush, node.WithWakuFilterLightNode")
	case !config.Light && wakuNode.Relay() == nil:
		return nil, errors.New("waku: the node has no relay: node.WithWakuRelay")
	case config.Buffer < 0:
		return nil, errors.New("waku: Config.Buffer must not be negative")
	case config.Buffer == 0:
		config.Buffer = defaultBuffer
	}
	n := &Node{node: wakuNode, config: config}
	n.SetStorePeers(config.StorePeers)
	return n, nil
}

// SetStorePeers has other peers be asked from the next query on, as Config.StorePeers says. It may be called at any time, from
// any goroutine. A client that found no store asks again within a minute, or at once after SetOnline(false) and SetOnline(true).
func (n *Node) SetStorePeers(peers []peer.ID) {
	peers = slices.Clone(peers)
	n.stores.Store(&peers)
}

// Dropped counts the messages that were dropped because nobody read them in time.
func (n *Node) Dropped() uint64 { return n.dropped.Load() }

// Publish broadcasts a payload, and returns its deterministic message hash.
//
// Errors: those of go-waku, such as too few peers.
func (n *Node) Publish(
	ctx context.Context, contentTopic string, payload []byte, timestamp time.Time,
) ([]byte, error) {
	nanoseconds := timestamp.UnixNano()
	message := &pb.WakuMessage{Payload: payload, ContentTopic: contentTopic, Timestamp: &nanoseconds}
	topic, err := n.pubsubTopic(contentTopic)
	if err != nil {
		return nil, err
	}
	var hash pb.MessageHash
	if n.config.Light {
		hash, err = n.node.Lightpush().Publish(ctx, message, lightpush.WithPubSubTopic(topic))
	} else {
		hash, err = n.node.Relay().Publish(ctx, message, relay.WithPubSubTopic(topic))
	}
	if err != nil {
		return nil, fmt.Errorf("waku: publish: %w", err)
	}
	return hash.Bytes(), nil
}

func (n *Node) pubsubTopic(contentTopic string) (string, error) {
	if n.config.PubsubTopic != "" {
		return n.config.PubsubTopic, nil
	}
	topic, err := protocol.GetPubSubTopicFromContentTopic(contentTopic)
	if err != nil {
		return "", fmt.Errorf("waku: content topic %q: %w", contentTopic, err)
	}
	return topic, nil
}
