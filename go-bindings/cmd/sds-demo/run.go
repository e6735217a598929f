package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"sync"
	"time"

	"github.com/gdamore/tcell/v2"

	"github.com/status-im/sds-rs/go-bindings/internal/board"
	"github.com/status-im/sds-rs/go-bindings/internal/chatlog"
	"github.com/status-im/sds-rs/go-bindings/internal/chatnet"
	"github.com/status-im/sds-rs/go-bindings/internal/lossy"
	"github.com/status-im/sds-rs/go-bindings/internal/packetstore"
	"github.com/status-im/sds-rs/go-bindings/internal/transcript"
	"github.com/status-im/sds-rs/go-bindings/internal/ui"
)

const (
	channel = "community/general"
	// storeFailures is the share of queries that the store does not answer.
	storeFailures = 0.1
	// fetchGrace lets packets that are only late come by themselves.
	fetchGrace = time.Second
	// After the last line, this much time may pass until all is well; more than anybody waits for what is missing. The
	// second, by the wall, keeps a very fast run on a busy machine from being called a failure.
	settle     = 70 * time.Minute
	settleWall = 25 * time.Second
)

// epoch is when every demo takes place, so that a seed means the same on every day.
var epoch = time.Date(2026, time.May, 2, 18, 0, 0, 0, time.UTC)

// What run returns to the shell.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130
)

var (
	errInterrupted = errors.New("interrupted")
	errUnsettled   = errors.New("not everything arrived and was acknowledged in time")
)

// hooks are where tests get in; nil does nothing.
type hooks struct {
	// tamper may change what the participants have before it is checked.
	tamper func([]chatlog.Log)
	// openLive takes the place of ui.OpenLive, and of the look for a terminal.
	openLive func() (*ui.Live, error)
}

// run is the program.
func run(ctx context.Context, args []string, stdout, stderr io.Writer, h hooks) int {
	o, err := parseOptions(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitOK
	case errors.Is(err, errUsage):
		return exitUsage
	case err != nil:
		fmt.Fprintln(stderr, "sds-demo:", err)
		return exitUsage
	}
	demo := newDemo(o)
	if screen := demo.screen(stdout, stderr, h); screen != nil {
		err = demo.live(ctx, screen)
	} else {
		err = demo.lines(ctx, stdout)
	}
	if errors.Is(err, errInterrupted) {
		fmt.Fprintln(stderr, "sds-demo: interrupted")
		return exitInterrupted
	}
	return demo.report(stdout, stderr, err, h)
}

type demo struct {
	options
	schedule transcript.Plan
	clock    *chatnet.Clock
	board    *board.Board
	// print, if not nil, is told every event after the board was.
	print func(chatnet.Event, board.Message, bool)
}

func newDemo(o options) *demo {
	plan := o.transcript.Schedule(o.seed, o.speed)
	return &demo{options: o, schedule: plan, board: board.New(o.transcript.Speakers, len(o.transcript.Lines))}
}

// screen opens the terminal for a live picture; nil where none is wanted or can be drawn.
func (d *demo) screen(stdout, stderr io.Writer, h hooks) *ui.Live {
	open := h.openLive
	switch {
	case d.plain:
		return nil
	case open != nil:
	case ui.IsTerminal(stdout):
		open = ui.OpenLive
	default:
		return nil
	}
	screen, err := open()
	if err != nil {
		fmt.Fprintf(stderr, "sds-demo: no picture on this terminal (%v): plain lines\n", err)
		return nil
	}
	return screen
}

// live runs with a live picture.
func (d *demo) live(ctx context.Context, screen *ui.Live) error {
	defer screen.Close()
	running, stop := context.WithCancel(ctx)
	defer stop()
	result := make(chan error, 1)
	go func() {
		defer stop()
		result <- d.simulate(running)
	}()
	info := ui.DemoInfo{
		Profile: d.profile.String(), Config: d.configWords(), Store: d.storeWords(), Loss: d.loss, Speed: d.schedule.Speed,
		Start: epoch,
	}
	screen.Run(running, func(s tcell.Screen) { ui.DrawDemo(s, d.board.Snapshot(200), info) }, nil)
	stop()
	return <-result
}

// lines runs with one line for each message, and one for each recovery.
func (d *demo) lines(ctx context.Context, w io.Writer) error {
	fmt.Fprintf(w, "sds-demo: %s, %s, loss %s, seed %d, speed %s, profile %s, %s, %s\n",
		ui.Plural(len(d.transcript.Lines), "message"), ui.Plural(len(d.transcript.Speakers), "participant"),
		ui.Percent(d.loss), d.seed, ui.Speed(d.schedule.Speed), d.profile, d.configWords(), d.storeWords())
	p := printer{w: w, others: len(d.transcript.Speakers) - 1}
	d.print = p.event
	return d.simulate(ctx)
}

// simulate runs all participants until everything is settled.
func (d *demo) simulate(ctx context.Context) error {
	nodes, err := d.participants()
	if err != nil {
		return err
	}
	running, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var all sync.WaitGroup
	for _, node := range nodes {
		all.Add(1)
		go func() {
			defer all.Done()
			if err := node.Run(running); err != nil {
				stop(err)
			}
		}()
	}
	defer all.Wait()
	err = d.await(running)
	stop(nil)
	return err
}

// await returns when all is settled, time is up, the user had enough, or a participant broke.
func (d *demo) await(ctx context.Context) error {
	end := epoch.Add(d.schedule.At[len(d.schedule.At)-1] + settle)
	var typed time.Time // by the wall
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-d.board.Done():
			return nil
		case <-ctx.Done():
			if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
				return cause
			}
			return errInterrupted
		case <-ticker.C:
			now := d.clock.Now()
			if typed.IsZero() && !now.Before(end.Add(-settle)) {
				typed = time.Now()
			}
			if now.After(end) && time.Since(typed) > settleWall {
				return errUnsettled
			}
		}
	}
}

// participants opens a socket and a manager for each speaker.
func (d *demo) participants() (nodes []*chatnet.Node, err error) {
	network := lossy.Options{
		Loss: d.loss, Duplicate: d.duplicate, Reorder: d.reorder,
		MinDelay: 20 * time.Millisecond, MaxDelay: 150 * time.Millisecond, HeldUp: 4 * time.Second,
	}
	speakers := d.transcript.Speakers
	names := make(map[netip.AddrPort]string)
	var sockets []*chatnet.Socket
	defer func() {
		if err != nil {
			for _, socket := range sockets {
				_ = socket.Close()
			}
		}
	}()
	for _, name := range speakers {
		socket, err := chatnet.Listen(0, func(to netip.AddrPort) *lossy.Link {
			return lossy.NewLink(d.seed, name, names[to], network)
		})
		if err != nil {
			return nil, fmt.Errorf("a UDP socket on loopback: %w", err)
		}
		sockets = append(sockets, socket)
		names[socket.Addr()] = name
	}
	var store *packetstore.Store
	var fetch func([]byte) ([]byte, time.Duration)
	if d.store {
		store = packetstore.New(len(d.transcript.Lines) + 1)
		fetch = packetstore.NewService(store, d.seed, storeFailures).Ask
	}
	d.clock = chatnet.FastClock(epoch, d.schedule.Speed)
	for i, name := range speakers {
		seed := d.seed + uint64(i)
		config := d.config(name, seed)
		var peers []netip.AddrPort
		for k, socket := range sockets {
			if k != i {
				peers = append(peers, socket.Addr())
			}
		}
		node, err := chatnet.NewNode(chatnet.Options{
			Name: name, Channel: channel, Config: config, Clock: d.clock, Socket: sockets[i], Peers: peers,
			Store: store, Fetch: fetch, FetchGrace: fetchGrace, Script: d.script(name), Observe: d.observe, Seed: seed,
		})
		if err != nil {
			return nil, fmt.Errorf("participant %s: %w", name, err)
		}
		nodes = append(nodes, node)
	}
	return nodes, nil
}

func (d *demo) script(name string) (script []chatnet.Scripted) {
	for i, line := range d.transcript.Lines {
		if line.Speaker == name {
			script = append(script, chatnet.Scripted{At: epoch.Add(d.schedule.At[i]), Text: line.Text})
		}
	}
	return script
}

func (d *demo) observe(e chatnet.Event) {
	message, known := d.board.Apply(e)
	if d.print != nil {
		d.print(e, message, known)
	}
}
