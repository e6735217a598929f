package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/waku-org/go-waku/waku/v2/node"

	"github.com/status-im/sds-rs/go-bindings/internal/chatlog"
	"github.com/status-im/sds-rs/go-bindings/internal/transcript"
	"github.com/status-im/sds-rs/go-bindings/waku/internal/loopback"
	"github.com/status-im/sds-rs/go-bindings/waku/internal/storenode"
)

// chat is everybody, and the nodes they are on.
type chat struct {
	folder  string
	nodes   []*node.WakuNode
	store   *storenode.Store
	members []*participant
	total   int

	mu     sync.Mutex
	w      io.Writer
	start  time.Time
	change chan struct{}
}

// open starts a node for each speaker, and one for the store, and joins the channel on each.
func open(ctx context.Context, o options, w io.Writer) (*chat, error) {
	c := &chat{w: w, total: len(o.transcript.Lines), start: time.Now(), change: make(chan struct{}, 1)}
	if err := c.openAll(ctx, o); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func (c *chat) openAll(ctx context.Context, o options) error {
	var err error
	if c.folder, err = os.MkdirTemp("", "sds-waku-demo"); err != nil {
		return err
	}
	// The first node holds the network together, and is the store, if there is one.
	for range len(o.transcript.Speakers) + 1 {
		wakuNode, err := loopback.StartRelay(ctx)
		if err != nil {
			return fmt.Errorf("a go-waku node: %w", err)
		}
		c.nodes = append(c.nodes, wakuNode)
	}
	if c.store, err = storenode.Serve(ctx, c.nodes[0], loopback.PubsubTopic); err != nil {
		return err
	}
	if err := loopback.Connect(ctx, c.nodes...); err != nil {
		return err
	}
	var stores []peer.ID
	if o.store {
		stores = append(stores, c.nodes[0].Host().ID())
	}
	for i, name := range o.transcript.Speakers {
		member, err := c.join(name, c.nodes[i+1], stores, loopback.Share(o.seed, name, o.loss), filepath.Join(c.folder, fmt.Sprint(i)))
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		c.members = append(c.members, member)
	}
	meshed, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return loopback.AwaitMesh(meshed, c.nodes...)
}

func (c *chat) close() {
	for _, member := range c.members {
		_ = member.client.Close()
	}
	for _, each := range c.nodes {
		each.Stop()
	}
	_ = os.RemoveAll(c.folder)
}

func (c *chat) say(line transcript.Line) error {
	for _, member := range c.members {
		if member.name == line.Speaker {
			return member.say(line.Text)
		}
	}
	return fmt.Errorf("nobody is called %s", line.Speaker)
}

// settle waits until everybody has everything, and knows that others have what they said.
func (c *chat) settle(ctx context.Context, patience time.Duration) error {
	end := time.After(patience)
	for {
		left := 0
		for _, member := range c.members {
			left += member.left(c.total)
		}
		if left == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.New("interrupted")
		case <-end:
			return fmt.Errorf("not everything arrived and was acknowledged in time: %d are left", left)
		case <-c.change:
		}
	}
}

// report compares the logs that the engines hold.
func (c *chat) report(w io.Writer) error {
	var logs []chatlog.Log
	var lost int64
	c.mu.Lock()
	defer c.mu.Unlock()
	fmt.Fprintf(w, "\n%-12s %5s %8s %10s %9s %8s\n", "participant", "sent", "received", "fetched", "delivered", "lost")
	for _, member := range c.members {
		log, err := member.log()
		if err != nil {
			return err
		}
		logs = append(logs, log)
		lost += member.network.Lost()
		member.mu.Lock()
		fmt.Fprintf(w, "%-12s %5d %8d %10d %9d %8d\n", member.name, member.sent, member.received, member.fetched, member.delivered,
			member.network.Lost())
		member.mu.Unlock()
	}
	if err := chatlog.Equal(logs); err != nil {
		return err
	}
	for _, log := range logs {
		if err := chatlog.Ascending(log); err != nil {
			return err
		}
		if len(log.Entries) != c.total {
			return fmt.Errorf("%s has %d of %d messages", log.Name, len(log.Entries), c.total)
		}
	}
	fmt.Fprintf(w, "\ndemo: %d messages, %d participants on go-waku nodes, %d relayed messages lost, %d store queries: all logs equal\n",
		c.total, len(logs), lost, c.store.Queries())
	return nil
}
