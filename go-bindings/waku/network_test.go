package waku

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/waku-org/go-waku/waku/v2/node"

	"github.com/status-im/sds-rs/go-bindings/reliable"
	"github.com/status-im/sds-rs/go-bindings/sds"
	"github.com/status-im/sds-rs/go-bindings/waku/internal/loopback"
	"github.com/status-im/sds-rs/go-bindings/waku/internal/storenode"
)

const (
	pubsubTopic = loopback.PubsubTopic
	// patience is how long anything may take. Sockets, gossip and a busy machine are real here.
	patience = 2 * time.Minute
)

func contentTopic(channelID string) string { return "/sds-rs/1/" + channelID + "/proto" }

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// startNode starts a go-waku node on loopback.
func startNode(t testing.TB, options ...node.WakuNodeOption) *node.WakuNode {
	t.Helper()
	wakuNode, err := loopback.Start(t.Context(), options...)
	check(t, err)
	t.Cleanup(wakuNode.Stop)
	return wakuNode
}

func startRelay(t testing.TB, options ...node.WakuNodeOption) *node.WakuNode {
	t.Helper()
	wakuNode, err := loopback.StartRelay(t.Context(), options...)
	check(t, err)
	t.Cleanup(wakuNode.Stop)
	return wakuNode
}

func connect(t testing.TB, nodes ...*node.WakuNode) {
	t.Helper()
	check(t, loopback.Connect(t.Context(), nodes...))
}

func dial(t testing.TB, from, to *node.WakuNode) {
	t.Helper()
	check(t, loopback.Dial(t.Context(), from, to))
}

func awaitMesh(t testing.TB, nodes ...*node.WakuNode) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	check(t, loopback.AwaitMesh(ctx, nodes...))
}

// startStore starts a store node.
func startStore(t testing.TB) (*node.WakuNode, *storenode.Store) {
	t.Helper()
	wakuNode := startRelay(t)
	kept, err := storenode.Serve(t.Context(), wakuNode, pubsubTopic)
	check(t, err)
	return wakuNode, kept
}

// textLoss loses messages with one of some texts in them, and counts them.
type textLoss struct {
	texts []string
	// most is how many are lost at most; 0: all.
	most int64
	// over is set when no more are.
	over atomic.Bool
	seen atomic.Int64
}

func losing(most int64, texts ...string) *textLoss { return &textLoss{texts: texts, most: most} }

func (l *textLoss) loses(message reliable.Message) bool {
	has := func(text string) bool { return bytes.Contains(message.Payload, []byte(text)) }
	if l.over.Load() || !slices.ContainsFunc(l.texts, has) {
		return false
	}
	return l.seen.Add(1) <= l.most || l.most == 0
}

// member is a participant, and what its application saw.
type member struct {
	t        testing.TB
	name     string
	node     *node.WakuNode
	network  *loopback.Faulty
	client   *reliable.Client
	channels map[string]*reliable.Channel

	mu      sync.Mutex
	changed chan struct{}
	// log has the payloads of a channel by the order that all members see.
	log    map[string]map[string]bool
	events map[string]int
	status map[string]reliable.SyncStatus
}

// quick is a configuration in which everything happens soon.
func quick(name string) reliable.Config {
	config := reliable.DefaultConfig(sds.ParticipantID(name))
	config.SDS.ResendInterval = time.Second
	config.SDS.MaxResends = 8
	config.SDS.SyncInterval = 2 * time.Second
	config.SDS.SyncIntervalMax = 8 * time.Second
	config.SDS.RepairTMin = 500 * time.Millisecond
	config.SDS.RepairTMax = 2 * time.Second
	config.SDS.RepairRequestInterval = 500 * time.Millisecond
	config.FetchBackoff, config.FetchBackoffMax = 200*time.Millisecond, 2*time.Second
	config.PublishBackoff = 200 * time.Millisecond
	return config
}

func join(t testing.TB, name string, wakuNode *node.WakuNode, config Config, loses func(reliable.Message) bool, channels ...string) *member {
	t.Helper()
	if config.PubsubTopic == "" {
		config.PubsubTopic = pubsubTopic
	}
	network, err := New(wakuNode, config)
	check(t, err)
	m := &member{
		t: t, name: name, node: wakuNode, network: &loopback.Faulty{Node: network, Loses: loses}, changed: make(chan struct{}, 1),
		channels: make(map[string]*reliable.Channel), log: make(map[string]map[string]bool), events: make(map[string]int),
		status: make(map[string]reliable.SyncStatus),
	}
	m.client, err = reliable.Open(m.network, quick(name))
	check(t, err)
	t.Cleanup(func() { check(t, m.client.Close()) })
	for _, id := range channels {
		channel, err := m.client.CreateReliableChannel(id, contentTopic(id), reliable.ChannelOptions{})
		check(t, err)
		m.channels[id] = channel
		m.log[id] = make(map[string]bool)
		go func() {
			for event := range channel.Events() {
				m.hear(id, event)
			}
		}()
	}
	return m
}

func (m *member) hear(channel string, event reliable.Event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.events[event.Name()]++
	switch event := event.(type) {
	case reliable.Received:
		text := fmt.Sprintf("%s %s", event.SenderID, event.Payload)
		if m.log[channel][text] {
			m.t.Errorf("%s: %q is received twice", m.name, text)
		}
		m.log[channel][text] = true
	case reliable.SyncStatus:
		m.status[channel] = event
	case reliable.Problem:
		m.t.Logf("%s: %v", m.name, event.Err)
	}
	select {
	case m.changed <- struct{}{}:
	default:
	}
}

// send sends a text; it is in the member's own log, too.
func (m *member) send(channel, text string) {
	m.t.Helper()
	_, err := m.channels[channel].Send([]byte(text))
	check(m.t, err)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.log[channel][m.name+" "+text] = true
}

// await waits until something is so.
func (m *member) await(what string, is func() bool) {
	m.t.Helper()
	deadline := time.After(patience)
	for {
		m.mu.Lock()
		now := is()
		m.mu.Unlock()
		if now {
			return
		}
		select {
		case <-m.changed:
		case <-deadline:
			m.mu.Lock()
			defer m.mu.Unlock()
			m.t.Fatalf("%s: not in time: %s; it heard %v, %v", m.name, what, m.events, m.status)
		}
	}
}

func (m *member) awaitEvents(name string, count int) {
	m.t.Helper()
	m.await(fmt.Sprintf("%d of %q", count, name), func() bool { return m.events[name] >= count })
}

func (m *member) awaitTexts(channel string, count int) {
	m.t.Helper()
	m.await(fmt.Sprintf("%d texts in %s", count, channel), func() bool { return len(m.log[channel]) >= count })
}

func (m *member) heard(name string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.events[name]
}

func (m *member) texts(channel string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var texts []string
	for text := range m.log[channel] {
		texts = append(texts, text)
	}
	slices.Sort(texts)
	return strings.Join(texts, "\n")
}
