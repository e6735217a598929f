// Package chat is the interactive chat: everybody who runs it on this machine is in the same rooms.
package chat

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/gdamore/tcell/v2"

	"github.com/status-im/sds-rs/go-bindings/internal/board"
	"github.com/status-im/sds-rs/go-bindings/internal/chatnet"
	"github.com/status-im/sds-rs/go-bindings/internal/lossy"
	"github.com/status-im/sds-rs/go-bindings/internal/packetstore"
	"github.com/status-im/sds-rs/go-bindings/internal/ui"
	"github.com/status-im/sds-rs/go-bindings/sds"
)

// Everybody binds the first free port of a small range, and sends to all others of it.
const (
	FirstPort = 41_730
	Ports     = 24
)

const (
	// storePackets is how many packets everybody keeps for others to ask for.
	storePackets = 5_000
	// linger is how long a chat whose input ended waits for what it said to be acknowledged.
	linger = 20 * time.Second
	// On one machine nobody is far away: what is missing is asked for sooner than on a network (SDS-R). All who chat have
	// the same two.
	repairTMin = 2 * time.Second
	repairTMax = 6 * time.Second
	// Missing messages whose last owner left hold up the order for no longer than this: 30 s and twice repairTMax are
	// the least.
	dependencyTimeout = 45 * time.Second
	// On one machine nothing is later than this.
	fetchGrace = 200 * time.Millisecond
)

// Options is what a chat is started with.
type Options struct {
	Name, Room string
	Loss       float64
	// FirstPort is the first port of the range; 0 for the usual one.
	FirstPort uint16
}

// Check tells what is wrong with the options.
func (o Options) Check() error {
	bad := func(s string) bool {
		return s == "" || len(s) > 32 || s != ui.Clean(s) || strings.ContainsAny(s, "/\x00")
	}
	switch {
	case bad(o.Name):
		return fmt.Errorf("the name %q must have 1 to 32 bytes, without \"/\"", o.Name)
	case bad(o.Room):
		return fmt.Errorf("the room %q must have 1 to 32 bytes, without \"/\"", o.Room)
	case !(o.Loss >= 0 && o.Loss <= 0.9):
		return fmt.Errorf("-loss is %v; it must be 0 to 0.9", o.Loss)
	}
	return nil
}

// Session is one participant of the chat and those it knows.
type Session struct {
	options Options
	board   *board.Board
	node    *chatnet.Node

	mu     sync.Mutex
	others map[string]string // name by participant id
	print  func(format string, args ...any)
	// settled is told when something happened, for those who wait until all is acknowledged.
	settled chan struct{}
	acked   int
}

// New takes a port and joins the room.
func New(options Options) (*Session, error) {
	if err := options.Check(); err != nil {
		return nil, err
	}
	if options.FirstPort == 0 {
		options.FirstPort = FirstPort
	}
	var salt [12]byte
	if _, err := rand.Read(salt[:]); err != nil {
		return nil, err
	}
	// An id is per installation, not per name: two people called the same, or one who comes back, are told apart.
	id := options.Name + "/" + hex.EncodeToString(salt[:4])
	seed := uint64(0)
	for _, b := range salt[4:] {
		seed = seed<<8 | uint64(b)
	}
	network := lossy.Options{Loss: options.Loss, MaxDelay: time.Millisecond}
	socket, err := listen(options.FirstPort, func(to netip.AddrPort) *lossy.Link {
		return lossy.NewLink(seed, id, to.String(), network)
	})
	if err != nil {
		return nil, err
	}
	var peers []netip.AddrPort
	for i := range uint16(Ports) {
		if address := chatnet.Loopback(options.FirstPort + i); address != socket.Addr() {
			peers = append(peers, address)
		}
	}
	config := sds.DefaultConfig()
	config.ParticipantID = sds.ParticipantID(id)
	config.Profile = sds.ProfileLibsds
	config.SyncInLibsds = true
	config.RepairTMin, config.RepairTMax = repairTMin, repairTMax
	config.DependencyTimeout = dependencyTimeout
	s := &Session{
		options: options, board: board.New([]string{options.Name}, 0), others: make(map[string]string),
		settled: make(chan struct{}, 1),
	}
	s.node, err = chatnet.NewNode(chatnet.Options{
		Name: options.Name, Channel: options.Room, Config: config, Clock: chatnet.WallClock(), Socket: socket, Peers: peers,
		Store: packetstore.New(storePackets), FetchGrace: fetchGrace, Announce: true,
		Observe: s.observe, Seed: seed,
	})
	if err != nil {
		return nil, errors.Join(err, socket.Close())
	}
	return s, nil
}

func listen(first uint16, link func(netip.AddrPort) *lossy.Link) (*chatnet.Socket, error) {
	for i := range uint16(Ports) {
		socket, err := chatnet.Listen(first+i, link)
		if errors.Is(err, syscall.EADDRINUSE) {
			continue
		}
		return socket, err
	}
	return nil, fmt.Errorf("all %d ports from %d on are in use: this machine is full", Ports, first)
}

func (s *Session) observe(e chatnet.Event) {
	message, known := s.board.Apply(e)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch e.Kind {
	case chatnet.Sent:
		s.tell("sent: %s", e.Text)
	case chatnet.Waiting:
		s.tell("%s: %s  (waits for what came before)", e.Sender, e.Text)
	case chatnet.Delivered:
		s.tell("%s: %s", e.Sender, e.Text)
	case chatnet.Resent:
		s.tell("resent: %s", message.Text)
	case chatnet.Acknowledged:
		s.acked++
		if known {
			s.tell("acknowledged: %s", message.Text)
		}
	case chatnet.PossiblyAcknowledged:
		s.tell("possibly acknowledged: %s", message.Text)
	case chatnet.Failed, chatnet.Unconfirmed:
		s.tell("nobody confirmed, will be tried again: %s", message.Text)
	case chatnet.Missing:
		s.tell("missing a message, asking for it")
	case chatnet.Recovered:
		s.tell("got a missing message from the %s", e.Via)
	case chatnet.Asked:
		s.tell("asking everybody for a missing message")
	case chatnet.Answered:
		s.tell("sent a message again that somebody asked for")
	case chatnet.Lost:
		s.remark(e.At, "a message is lost: nobody here has it")
	case chatnet.Joined:
		s.others[e.ID] = e.Sender
		s.remark(e.At, e.Sender+" is here")
	case chatnet.Left:
		delete(s.others, e.ID)
		s.remark(e.At, e.Sender+" left")
	case chatnet.Problem:
		s.remark(e.At, e.Text)
	}
	select {
	case s.settled <- struct{}{}:
	default:
	}
}

// tell prints a line where there is no picture. The lock is held.
func (s *Session) tell(format string, args ...any) {
	if s.print != nil {
		s.print(format, args...)
	}
}

// remark shows a line of the program itself. The lock is held.
func (s *Session) remark(at time.Time, text string) {
	s.board.Remark(at, "* "+text)
	s.tell("* %s", text)
}

func (s *Session) names() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for _, name := range s.others {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

const help = "commands: /who  /status  /quit"

// line is what the user entered; false ends the chat.
func (s *Session) line(ctx context.Context, line string) bool {
	line = strings.TrimSpace(line)
	answer := ""
	switch {
	case line == "":
		return true
	case line == "/quit" || line == "/q":
		return false
	case line == "/who":
		answer = "here: " + strings.Join(append([]string{s.options.Name + " (you)"}, s.names()...), ", ")
	case line == "/status":
		answer = s.status()
	case strings.HasPrefix(line, "/"):
		answer = help
	default:
		s.node.Say(ctx, line)
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remark(time.Now(), answer)
	return true
}

func (s *Session) status() string {
	me := s.board.Snapshot(0).Participants[0]
	return fmt.Sprintf("%d sent, %d acknowledged, %d possibly, %d resent; %d received, %d missing, %d waiting, %d lost; "+
		"%s packets, %s, %s dropped", me.Status.Sent, me.Status.Acknowledged, me.Status.PossiblyAcknowledged, me.Resent,
		me.Status.Received, me.Status.Missing, me.Status.Waiting, me.Status.Lost,
		ui.Count(me.Counters.Packets), ui.Bytes(me.Counters.Bytes), ui.Count(me.Counters.Dropped))
}

// Plain chats in lines: what comes in is said, what happens comes out. When the input ends, it waits a while until all
// that was said is acknowledged.
func (s *Session) Plain(ctx context.Context, in io.Reader, out io.Writer) error {
	s.mu.Lock()
	s.print = func(format string, args ...any) { fmt.Fprintln(out, ui.Clean(fmt.Sprintf(format, args...))) }
	s.tell("* you are %s in %s; %s", s.options.Name, s.options.Room, help)
	s.mu.Unlock()
	return s.whileRunning(ctx, func(ctx context.Context) error {
		lines := make(chan string)
		failed := make(chan error, 1)
		go func() {
			defer close(lines)
			scanner := bufio.NewScanner(in)
			for scanner.Scan() && ctx.Err() == nil {
				select {
				case lines <- scanner.Text():
				case <-ctx.Done():
				}
			}
			failed <- scanner.Err()
		}()
		said := 0
		for {
			select {
			case <-ctx.Done():
				return nil
			case line, open := <-lines:
				if !open {
					s.awaitAcknowledged(ctx, said)
					return <-failed
				}
				if !s.line(ctx, line) {
					return nil
				}
				if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "/") {
					said++
				}
			}
		}
	})
}

func (s *Session) awaitAcknowledged(ctx context.Context, said int) {
	timeout := time.After(linger)
	for {
		s.mu.Lock()
		done := s.acked >= said
		s.mu.Unlock()
		if done {
			return
		}
		select {
		case <-s.settled:
		case <-timeout:
			return
		case <-ctx.Done():
			return
		}
	}
}

// Live chats with a live picture, and closes it in the end.
func (s *Session) Live(ctx context.Context, live *ui.Live) error {
	defer live.Close()
	s.mu.Lock()
	s.remark(time.Now(), fmt.Sprintf("you are %s in %s; %s", s.options.Name, s.options.Room, help))
	s.mu.Unlock()
	return s.whileRunning(ctx, func(ctx context.Context) error {
		var input ui.Input
		live.Run(ctx, func(screen tcell.Screen) {
			ui.DrawChat(screen, s.board.Snapshot(200), ui.ChatInfo{
				Room: s.options.Room, Name: s.options.Name, Others: s.names(), Loss: s.options.Loss,
			}, &input)
		}, func(key *tcell.EventKey) bool {
			if key.Key() == tcell.KeyCtrlD {
				return false
			}
			line, entered := input.Key(key)
			return !entered || s.line(ctx, line)
		})
		return nil
	})
}

// whileRunning runs the participant beside what talks to the user, until either ends.
func (s *Session) whileRunning(ctx context.Context, talk func(context.Context) error) error {
	running, stop := context.WithCancel(ctx)
	defer stop()
	result := make(chan error, 1)
	go func() {
		defer stop()
		result <- s.node.Run(running)
	}()
	err := talk(running)
	stop()
	return errors.Join(err, <-result)
}
