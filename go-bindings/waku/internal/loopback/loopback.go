// Package loopback runs go-waku nodes in one process, for tests and the demo.
package loopback

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/waku-org/go-waku/waku/v2/node"
	"go.uber.org/zap"
)

// PubsubTopic is in the cluster without metadata: in others go-waku sends peers away whose shards it does not know yet, as
// those of a node that has just subscribed.
const PubsubTopic = "/waku/2/rs/0/1"

// meshDelay is how long gossipsub may take to make a mesh of neighbours: its heartbeat, and half of it.
const meshDelay = 1_500 * time.Millisecond

// Start starts a node. Stop it when it is no longer needed.
func Start(ctx context.Context, options ...node.WakuNodeOption) (*node.WakuNode, error) {
	logger, err := quiet()
	if err != nil {
		return nil, err
	}
	address := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}
	options = append([]node.WakuNodeOption{
		node.WithHostAddress(address), node.WithClusterID(0), node.WithLogger(logger), node.WithMaxConnectionsPerIP(100),
	}, options...)
	wakuNode, err := node.New(options...)
	if err != nil {
		return nil, err
	}
	return wakuNode, wakuNode.Start(ctx)
}

// quiet logs what is fatal: go-waku complains about loggers that log nothing at all.
func quiet() (*zap.Logger, error) {
	config := zap.NewDevelopmentConfig()
	config.Level = zap.NewAtomicLevelAt(zap.FatalLevel)
	return config.Build()
}

// StartRelay starts a node that relays.
func StartRelay(ctx context.Context, options ...node.WakuNodeOption) (*node.WakuNode, error) {
	return Start(ctx, append(options, node.WithWakuRelayAndMinPeers(0))...)
}

// Connect connects nodes, each with the one before it and with the first: most ways between them are relayed.
func Connect(ctx context.Context, nodes ...*node.WakuNode) error {
	for i, each := range nodes[1:] {
		for _, other := range []*node.WakuNode{nodes[i], nodes[0]} {
			if err := Dial(ctx, each, other); err != nil {
				return err
			}
		}
	}
	return nil
}

// Dial connects two nodes.
func Dial(ctx context.Context, from, to *node.WakuNode) error {
	return from.DialPeerWithInfo(ctx, peer.AddrInfo{ID: to.Host().ID(), Addrs: to.Host().Addrs()})
}

// AwaitMesh waits until each node has a neighbour in the topic: gossip takes a second to find out.
func AwaitMesh(ctx context.Context, nodes ...*node.WakuNode) error {
	for _, each := range nodes {
		for len(each.Relay().PubSub().ListPeers(PubsubTopic)) == 0 {
			if err := pause(ctx, 20*time.Millisecond); err != nil {
				return fmt.Errorf("%s has no neighbour: %w", each.Host().ID(), err)
			}
		}
	}
	return pause(ctx, meshDelay)
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
