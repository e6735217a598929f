package reliable

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"sync"

	"github.com/status-im/sds-rs/go-bindings/sds"
)

var (
	// ErrClosed: the client or the channel is closed.
	ErrClosed = errors.New("reliable: closed")
	// ErrChannelOpen: the client has a channel of that id.
	ErrChannelOpen = errors.New("reliable: the channel is open already")
	// ErrNotStored: the host could not commit (Config.External). With an id, the payload is wrapped, and goes out once it can;
	// unless the process ends before.
	ErrNotStored = errors.New("reliable: not stored yet")
	// ErrEventsUnread: so many events are unread that nothing more is sent. Read the channel's Events.
	ErrEventsUnread = errors.New("reliable: too many events are unread")
	// ErrOffline: the client is offline or paused, and an ephemeral payload is not kept for later.
	ErrOffline = errors.New("reliable: offline or paused: ephemeral payloads are not kept")
)

// Client is one participant: a node, an engine and its state, and any number of channels. Its methods, and those of its
// channels, may be called from any goroutine.
type Client struct {
	node  Node
	clock Clock

	mu       sync.Mutex
	core     *core
	channels map[string]*Channel
	closed   bool

	ctx                              context.Context
	cancel                           context.CancelFunc
	running                          sync.WaitGroup
	wakeLoop, wakePublish, wakeFetch waker
	close                            sync.Once
	closeErr                         error
}

// Open makes a client and starts it. Close it when it is no longer needed.
//
// Errors: those of sds.Open, sds.OpenStore and sds.OpenExternal; for what is wrong in the Config.
func Open(node Node, config Config) (*Client, error) {
	if node == nil {
		return nil, errors.New("reliable: the node is nil")
	}
	if err := config.check(); err != nil {
		return nil, err
	}
	clock := config.Clock
	if clock == nil {
		clock = wallClock{}
	}
	core, err := openCore(config, clock)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	c := &Client{
		node: node, clock: clock, core: core, channels: make(map[string]*Channel), ctx: ctx, cancel: cancel,
		wakeLoop: newWaker(), wakePublish: newWaker(), wakeFetch: newWaker(),
	}
	c.running.Add(3)
	go c.runLoop()
	go c.runPublisher()
	go c.runFetcher()
	return c, nil
}

// openCore opens the engine. Channels that a store knows stay closed until they are created: their events would have no reader.
func openCore(config Config, clock Clock) (*core, error) {
	now := clock.Now()
	var manager *sds.Manager
	var err error
	switch {
	case config.External != nil:
		manager, err = sds.OpenExternal(config.SDS, config.External.Records, now)
	case config.StorePath != "":
		manager, err = sds.OpenStore(config.SDS, config.StorePath, config.StoreOptions, now)
	default:
		manager, err = sds.Open(config.SDS)
	}
	if err != nil {
		return nil, err
	}
	var seed [8]byte
	if config.SDS.Seed != nil {
		binary.LittleEndian.PutUint64(seed[:], *config.SDS.Seed)
	} else if _, err := rand.Read(seed[:]); err != nil {
		return nil, errors.Join(err, manager.Close())
	}
	open, err := manager.Channels()
	for _, id := range open {
		err = errors.Join(err, manager.CloseChannel(id))
	}
	if err != nil {
		return nil, errors.Join(err, manager.Close())
	}
	return newCore(config, manager, binary.LittleEndian.Uint64(seed[:])), nil
}

// CreateReliableChannel opens a channel: with the state that it had, if there is a store that knows it.
//
// Errors: ErrChannelOpen, ErrClosed; those of sds.Manager.OpenChannel; the node's, if it cannot subscribe.
func (c *Client) CreateReliableChannel(channelID, contentTopic string, options ChannelOptions) (*Channel, error) {
	if err := options.complete(&c.core.config); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(c.ctx)
	// Before the channel is there: what comes meanwhile waits in the node.
	messages, err := c.node.Subscribe(ctx, contentTopic)
	if err != nil {
		cancel()
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		cancel()
		return nil, ErrClosed
	}
	state, err := c.core.openChannel(channelID, contentTopic, options, c.clock.Now())
	if err != nil {
		cancel()
		return nil, err
	}
	ch := &Channel{
		client: c, state: state, ctx: ctx, cancel: cancel, events: make(chan Event), wakeEvents: newWaker(),
		wakeIntake: newWaker(),
	}
	c.channels[channelID] = ch
	ch.running.Add(2)
	go ch.runIntake(messages)
	go ch.runEvents()
	c.wake()
	return ch, nil
}

// CreateReliableChannel opens a client with the default configuration and one channel in it, whose Close closes both.
func CreateReliableChannel(
	node Node, channelID, contentTopic string, senderID sds.ParticipantID, encryption Encryption,
) (*Channel, error) {
	client, err := Open(node, DefaultConfig(senderID))
	if err != nil {
		return nil, err
	}
	ch, err := client.CreateReliableChannel(channelID, contentTopic, ChannelOptions{Encryption: encryption})
	if err != nil {
		return nil, errors.Join(err, client.Close())
	}
	ch.owns = true
	return ch, nil
}

// SetOnline tells whether the network is reachable. Offline, nothing is published or fetched, and no time runs for what is
// missing or not acknowledged. Back online, what waited goes out, and everything that is missing is fetched at once. A client
// begins online.
func (c *Client) SetOnline(online bool) { c.setActive(&online, nil) }

// Pause is for a phone that goes to the background: as SetOnline(false), and no timer runs, so that nothing wakes the device.
// What the node still brings is taken in, and what is sent waits.
func (c *Client) Pause() { c.setActive(nil, ptr(true)) }

// Resume ends a Pause: as SetOnline(true), unless the client is offline.
func (c *Client) Resume() { c.setActive(nil, ptr(false)) }

func ptr[T any](value T) *T { return &value }

func (c *Client) setActive(online, paused *bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	if online == nil {
		online = &c.core.online
	}
	if paused == nil {
		paused = &c.core.paused
	}
	c.core.setActive(*online, *paused, c.clock.Now())
	c.wake()
	for _, ch := range c.channels {
		ch.wakeIntake.set() // it may have a subscription to make, or a timer to give up, whether there is room or not
	}
}

// Stats returns the counts.
func (c *Client) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.core.snapshot()
}

// Close closes all channels and the client, and waits for its goroutines. What was sent and not acknowledged goes on with the
// next Open, if there is a store. Closing again returns the same.
//
// Errors: those of sds.Manager.Close: not all could be stored.
func (c *Client) Close() error {
	c.close.Do(func() {
		c.mu.Lock()
		c.closed = true
		channels := make([]*Channel, 0, len(c.channels))
		for _, ch := range c.channels {
			channels = append(channels, ch)
		}
		c.mu.Unlock()
		c.cancel()
		for _, ch := range channels {
			ch.running.Wait()
		}
		c.running.Wait()
		c.mu.Lock()
		defer c.mu.Unlock()
		c.core.shut(c.clock.Now())
		c.closeErr = c.core.manager.Close()
	})
	return c.closeErr
}

// wake has everybody look again. The lock is held.
func (c *Client) wake() {
	c.wakeLoop.set()
	c.wakePublish.set()
	c.wakeFetch.set()
	for _, ch := range c.channels {
		if ch.state.events.len() > 0 {
			ch.wakeEvents.set()
		}
		if c.core.room(ch.state) {
			ch.wakeIntake.set()
		}
	}
}

// waker tells somebody that there may be something to do. One that was set stays set until it is taken.
type waker chan struct{}

func newWaker() waker { return make(waker, 1) }

func (w waker) set() {
	select {
	case w <- struct{}{}:
	default:
	}
}
