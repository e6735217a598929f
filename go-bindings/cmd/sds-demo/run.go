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
	"github.com/status-im/sds-rs/go-bindings/sds"
)

const (
	channel = "community/general"
	// storeFailures is the share of queries that the store does not answer.
	storeFailures = 0.1
	// fetchGrace lets packets that are only late come by themselves.
	fetchGrace = time.Second
	// After the last line, this much time may pass until all is well; the second, by the wall, keeps a very fast run
	// on a busy machine from being called a failure.
	settle     = time.Hour
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

// run is the program. Tamper, if not nil, may change the logs before they are compared: it is how a test breaks them.
func run(ctx context.Context, args []string, stdout, stderr io.Writer, tamper func([]chatlog.Named)) int {
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
	if !o.plain && ui.IsTerminal(stdout) {
		err = demo.live(ctx)
	} else {
		err = demo.plain(ctx, stdout)
	}
	if errors.Is(err, errInterrupted) {
		fmt.Fprintln(stderr, "sds-demo: interrupted")
		return exitInterrupted
	}
	return demo.report(stdout, stderr, err, tamper)
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

// live runs with a live picture.
func (d *demo) live(ctx context.Context) error {
	screen, err := ui.OpenLive()
	if err != nil {
		return fmt.Errorf("the terminal: %w (-plain does without)", err)
	}
	defer screen.Close()
	running, stop := context.WithCancel(ctx)
	defer stop()
	result := make(chan error, 1)
	go func() {
		defer stop()
		result <- d.simulate(running)
	}()
	info := ui.DemoInfo{Profile: d.profile.String(), Loss: d.loss, Speed: d.schedule.Speed, Start: epoch}
	screen.Run(running, func(s tcell.Screen) { ui.DrawDemo(s, d.board.Snapshot(200), info) }, nil)
	stop()
	return <-result
}

// plain runs with one line for each message, and one for each recovery.
func (d *demo) plain(ctx context.Context, w io.Writer) error {
	fmt.Fprintf(w, "sds-demo: %s, %s, loss %s, seed %d, speed %s, profile %s\n",
		ui.Plural(len(d.transcript.Lines), "message"), ui.Plural(len(d.transcript.Speakers), "participant"),
		ui.Percent(d.loss), d.seed, ui.Speed(d.schedule.Speed), d.profile)
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
	store := packetstore.New(len(d.transcript.Lines) + 1)
	service := packetstore.NewService(store, d.seed, storeFailures)
	d.clock = chatnet.FastClock(epoch, d.schedule.Speed)
	for i, name := range speakers {
		seed := d.seed + uint64(i)
		config := sds.DefaultConfig()
		config.ParticipantID = sds.ParticipantID(name)
		config.Seed = &seed
		config.Profile = d.profile
		config.SyncInLibsds = true // everybody here is of our kind
		// As many as libsds names. With the default of three, and half of all packets lost, a message that was late for
		// most may never be named by any other, so that who lacks it does not learn of it.
		config.CausalHistorySize = 10
		// Even a channel that fell silent tells every few minutes what it has: the last line may be what somebody lacks.
		config.SyncIntervalMax = 2 * time.Minute
		var peers []netip.AddrPort
		for k, socket := range sockets {
			if k != i {
				peers = append(peers, socket.Addr())
			}
		}
		node, err := chatnet.NewNode(chatnet.Options{
			Name: name, Channel: channel, Config: config, Clock: d.clock, Socket: sockets[i], Peers: peers,
			Store: store, Fetch: service.Ask, FetchGrace: fetchGrace, Script: d.script(name), Observe: d.observe, Seed: seed,
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

// report prints the table and the verdict.
func (d *demo) report(stdout, stderr io.Writer, err error, tamper func([]chatlog.Named)) int {
	s := d.board.Snapshot(0)
	fmt.Fprintf(stdout, "\n%s\n", ui.Results(s.Participants))
	logs := d.board.Logs()
	if tamper != nil {
		tamper(logs)
	}
	if err == nil {
		err = chatlog.Equal(logs)
	}
	if total := len(d.transcript.Lines); err == nil && logs[0].Log.Len() != total {
		err = fmt.Errorf("all logs are equal, but hold %d of %d messages", logs[0].Log.Len(), total)
	}
	verdict := "all logs equal"
	if err != nil {
		fmt.Fprintln(stderr, "sds-demo:", err)
		d.explain(stderr, s)
		verdict = "failed"
	} else {
		fmt.Fprintf(stdout, "All %d logs hold the same %d messages in the same order, after %s of chat.\n",
			len(logs), logs[0].Log.Len(), ui.Time(s.Now.Sub(epoch)))
	}
	fmt.Fprintf(stdout, "demo: %d messages, %d participants, %d packets dropped: %s\n",
		len(d.transcript.Lines), len(logs), s.Dropped, verdict)
	if err != nil {
		return exitFailed
	}
	return exitOK
}

// explain tells who still lacks what.
func (d *demo) explain(w io.Writer, s board.Snapshot) {
	for _, p := range s.Participants {
		if p.InOrder < s.Total || p.Acknowledged < p.Sent {
			fmt.Fprintf(w, "  %s has %d of %d messages in order, misses %d, holds %d that wait; %d of its %d are acknowledged\n",
				p.Name, p.InOrder, s.Total, p.Status.Missing, p.Status.Waiting, p.Acknowledged, p.Sent)
		}
	}
}
