package main

import (
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/waku-org/go-waku/waku/v2/node"

	"github.com/status-im/sds-rs/go-bindings/internal/chatlog"
	"github.com/status-im/sds-rs/go-bindings/reliable"
	"github.com/status-im/sds-rs/go-bindings/sds"
	"github.com/status-im/sds-rs/go-bindings/waku"
	"github.com/status-im/sds-rs/go-bindings/waku/internal/loopback"
)

const (
	channelID    = "general"
	contentTopic = "/sds-rs-demo/1/general/proto"
)

// participant is one of them.
type participant struct {
	chat    *chat
	name    string
	network *loopback.Faulty
	client  *reliable.Client
	channel *reliable.Channel

	mu                                          sync.Mutex
	sent, received, pending, fetched, delivered int
}

// join opens a participant on a node, with its state in a file.
func (c *chat) join(
	name string, wakuNode *node.WakuNode, stores []peer.ID, loses func(reliable.Message) bool, file string,
) (*participant, error) {
	network, err := waku.New(wakuNode, waku.Config{PubsubTopic: loopback.PubsubTopic, StorePeers: stores})
	if err != nil {
		return nil, err
	}
	p := &participant{chat: c, name: name, network: &loopback.Faulty{Node: network, Loses: loses}}
	config := reliable.DefaultConfig(sds.ParticipantID(name))
	config.StorePath = file
	// The chat takes a minute: what takes minutes between people takes seconds here.
	config.SDS.ResendInterval, config.SDS.MaxResends = 2*time.Second, 10
	config.SDS.SyncInterval, config.SDS.SyncIntervalMax = 3*time.Second, 10*time.Second
	config.SDS.RepairTMin, config.SDS.RepairTMax = time.Second, 5*time.Second
	config.SDS.RepairRequestInterval = time.Second
	if p.client, err = reliable.Open(p.network, config); err != nil {
		return nil, err
	}
	if p.channel, err = p.client.CreateReliableChannel(channelID, contentTopic, reliable.ChannelOptions{}); err != nil {
		return nil, err
	}
	go func() {
		for event := range p.channel.Events() {
			p.hear(event)
		}
	}()
	return p, nil
}

func (p *participant) say(text string) error {
	if _, err := p.channel.Send([]byte(text)); err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	p.mu.Lock()
	p.sent++
	p.mu.Unlock()
	p.chat.print(p.name, text)
	return nil
}

func (p *participant) hear(event reliable.Event) {
	p.mu.Lock()
	switch event := event.(type) {
	case reliable.Received:
		p.received++
		if event.Pending {
			p.pending++
		}
	case reliable.Ready:
		p.pending--
	case reliable.Recovered:
		if event.Fetched {
			p.fetched++
		}
	case reliable.Delivered:
		p.delivered++
	}
	p.mu.Unlock()
	switch event := event.(type) {
	case reliable.Missing:
		p.chat.print(p.name, "  ... misses one of "+string(event.SenderID))
	case reliable.Lost:
		p.chat.print(p.name, "  ... gives one up of "+string(event.SenderID))
	case reliable.DeliveryError:
		p.chat.print(p.name, "  ... nobody seems to have one of ours: "+event.Err.Error())
	}
	select {
	case p.chat.change <- struct{}{}:
	default:
	}
}

// left is what is still to come: messages, their order, and acknowledgements.
func (p *participant) left(total int) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return total - p.sent - p.received + p.pending + p.sent - p.delivered
}

// log is what the engine holds, in its order.
func (p *participant) log() (chatlog.Log, error) {
	log := chatlog.Log{Name: p.name}
	var after sds.LogPosition
	for {
		page, err := p.channel.ReadLog(after, 100)
		if err != nil {
			return log, fmt.Errorf("the log of %s: %w", p.name, err)
		}
		for _, entry := range page.Entries {
			log.Entries = append(log.Entries, chatlog.Entry{
				Timestamp: entry.Timestamp, ID: string(entry.MessageID), Sender: string(entry.SenderID), Text: string(entry.Content),
			})
		}
		if !page.More {
			return log, nil
		}
		after = page.Entries[len(page.Entries)-1].Position()
	}
}

// print says what happens, with the time.
func (c *chat) print(who, what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fmt.Fprintf(c.w, "%6.1f s  %-10s %s\n", time.Since(c.start).Seconds(), printable(who), printable(what))
}

// printable leaves out what could move the cursor.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, text)
}
