package waku

import (
	"fmt"
	"testing"

	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/multiformats/go-multiaddr"
	"github.com/waku-org/go-waku/waku/v2/node"
	"github.com/waku-org/go-waku/waku/v2/peerstore"
	wakuprotocol "github.com/waku-org/go-waku/waku/v2/protocol"
	"github.com/waku-org/go-waku/waku/v2/protocol/filter"
	"github.com/waku-org/go-waku/waku/v2/protocol/lightpush"
	"github.com/waku-org/go-waku/waku/v2/protocol/relay"

	"github.com/status-im/sds-rs/go-bindings/waku/internal/loopback"
)

func stores(nodes ...*node.WakuNode) Config {
	var config Config
	for _, each := range nodes {
		config.StorePeers = append(config.StorePeers, each.Host().ID())
	}
	return config
}

// What was lost between two nodes is noticed from the message after it, and fetched by its hash.
func TestLostMessagesAreFetched(t *testing.T) {
	storeNode, kept := startStore(t)
	a, b := startRelay(t), startRelay(t)
	connect(t, storeNode, a, b)
	alice := join(t, "alice", a, stores(storeNode), nil, "general")
	bob := join(t, "bob", b, stores(storeNode), losing(0, "hello 0", "hello 1").loses, "general")
	awaitMesh(t, storeNode, a, b)
	for i := range 3 {
		alice.send("general", fmt.Sprint("hello ", i))
		alice.awaitEvents("sent", i+1)
	}
	bob.awaitTexts("general", 3)
	bob.awaitEvents("missing", 2)
	bob.await("all is here", func() bool { return bob.status["general"].Synced })
	alice.awaitEvents("delivered", 3)
	if bob.network.Lost() < 2 || kept.Queries() == 0 {
		t.Fatalf("%d lost, %d queries", bob.network.Lost(), kept.Queries())
	}
}

// Who was offline learns from one recent message what it missed, and fetches it, and what was before that.
func TestANodeThatWasOfflineCatchesUp(t *testing.T) {
	storeNode, _ := startStore(t)
	a, b := startRelay(t), startRelay(t)
	connect(t, storeNode, a, b)
	alice := join(t, "alice", a, stores(storeNode), nil, "general")
	bob := join(t, "bob", b, stores(storeNode), nil, "general")
	awaitMesh(t, storeNode, a, b)
	alice.send("general", "before")
	bob.awaitTexts("general", 1)

	bob.client.SetOnline(false)
	b.DisconnectAllPeers()
	const missed = 20
	for i := range missed {
		alice.send("general", fmt.Sprint("missed ", i))
		alice.awaitEvents("sent", 2+i)
	}
	if bob.heard("received") != 1 {
		t.Fatal("bob was not offline")
	}
	connect(t, storeNode, b)
	awaitMesh(t, b)
	bob.client.SetOnline(true)
	alice.send("general", "recent")
	bob.awaitTexts("general", missed+2)
	bob.await("all is here", func() bool { return bob.status["general"].Synced })
}

// A message that nobody got is sent again, in an envelope of its own, and acknowledged.
func TestAnUnacknowledgedMessageIsResent(t *testing.T) {
	a, b := startRelay(t), startRelay(t)
	connect(t, a, b)
	alice := join(t, "alice", a, Config{}, nil, "general")
	bob := join(t, "bob", b, Config{}, losing(1, "hello").loses, "general")
	awaitMesh(t, a, b)
	alice.send("general", "hello")
	bob.awaitTexts("general", 1)
	alice.awaitEvents("delivered", 1)
	if lost := bob.network.Lost(); lost != 1 {
		t.Fatalf("%d messages were lost", lost)
	}
}

// While the store is down the members repair among themselves.
func TestMembersRepairWhileTheStoreIsDown(t *testing.T) {
	storeNode, kept := startStore(t)
	kept.SetDown(true)
	a, b, c := startRelay(t), startRelay(t), startRelay(t)
	connect(t, storeNode, a, b, c)
	alice := join(t, "alice", a, stores(storeNode), nil, "general")
	bob := join(t, "bob", b, stores(storeNode), nil, "general")
	loss := losing(0, "one")
	carol := join(t, "carol", c, stores(storeNode), loss.loses, "general")
	awaitMesh(t, storeNode, a, b, c)
	alice.send("general", "one")
	alice.awaitEvents("delivered", 1) // by bob: nobody resends it any more
	bob.awaitTexts("general", 1)
	loss.over.Store(true)
	bob.send("general", "two")
	carol.awaitTexts("general", 2)
	carol.awaitEvents("repair-requested", 1)
	if kept.Queries() != 0 {
		t.Fatal("the store was not down")
	}
	if alice.heard("repair-answered")+bob.heard("repair-answered") == 0 {
		t.Fatal("nobody answered")
	}
}

// A community: three channels, eight members, a tenth of all messages lost. All logs end equal.
func TestACommunityEndsWithEqualLogs(t *testing.T) {
	const members, texts, loss = 8, 6, 0.1
	channels := []string{"general", "random", "help"}
	storeNode, _ := startStore(t)
	nodes := []*node.WakuNode{storeNode}
	for range members {
		nodes = append(nodes, startRelay(t))
	}
	connect(t, nodes...)
	var all []*member
	for i, each := range nodes[1:] {
		name := fmt.Sprint("member-", i)
		all = append(all, join(t, name, each, stores(storeNode), loopback.Share(1, name, loss), channels...))
	}
	awaitMesh(t, nodes...)
	for i := range texts {
		for _, m := range all {
			for _, channel := range channels {
				m.send(channel, fmt.Sprint("text ", i))
			}
		}
		// Each round follows on the one before.
		all[i%members].awaitEvents("sent", (i+1)*len(channels))
	}
	var lost int64
	for _, m := range all {
		for _, channel := range channels {
			m.awaitTexts(channel, members*texts)
			if got, want := m.texts(channel), all[0].texts(channel); got != want {
				t.Fatalf("%s: the log of %s differs:\n%s\nnot\n%s", m.name, channel, got, want)
			}
		}
		m.awaitEvents("delivered", texts*len(channels))
		lost += m.network.Lost()
	}
	if lost == 0 {
		t.Fatal("nothing was lost")
	}
	t.Logf("%d messages were lost on their way", lost)
}

// A light node publishes over lightpush and receives over filter.
func TestALightNode(t *testing.T) {
	storeNode, _ := startStore(t)
	full := startRelay(t, node.WithLightPush(), node.WithWakuFilterFullNode())
	connect(t, storeNode, full)
	_, err := full.Relay().Subscribe(t.Context(), wakuprotocol.NewContentFilter(pubsubTopic), relay.WithoutConsumer())
	check(t, err)
	a := startRelay(t)
	connect(t, full, a)
	light := startNode(t, node.WithLightPush(), node.WithWakuFilterLightNode())
	serves := []protocol.ID{lightpush.LightPushID_v20beta1, filter.FilterSubscribeID_v20beta1}
	address := fmt.Sprintf("%s/p2p/%s", full.Host().Addrs()[0], full.Host().ID())
	_, err = light.AddPeer(multiaddr.StringCast(address), peerstore.Static, []string{pubsubTopic}, serves...)
	check(t, err)
	dial(t, light, full)
	dial(t, light, storeNode)
	alice := join(t, "alice", a, stores(storeNode), nil, "general")
	awaitMesh(t, full, a, storeNode)
	config := stores(storeNode)
	config.Light = true
	bob := join(t, "bob", light, config, losing(0, "one").loses, "general")
	alice.send("general", "one")
	alice.awaitEvents("sent", 1)
	alice.send("general", "two")
	bob.awaitTexts("general", 2)
	bob.send("general", "three")
	alice.awaitTexts("general", 3)
	bob.awaitEvents("delivered", 1)
}
