package chatnet

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/status-im/sds-rs/go-bindings/internal/agenda"
	"github.com/status-im/sds-rs/go-bindings/internal/lossy"
)

// MaxDatagram is the most that one UDP datagram carries over IPv4.
const MaxDatagram = 65_507

// Received is a datagram and who sent it.
type Received struct {
	From netip.AddrPort
	Data []byte
}

// Counters is what a socket did so far.
type Counters struct {
	// Packets and Bytes count what was sent, one per receiver, dropped ones included.
	Packets, Bytes uint64
	// Dropped, Duplicated and HeldUp count what the lossy layer did to them.
	Dropped, Duplicated, HeldUp uint64
}

// Socket is a UDP socket on loopback whose way out is bad on purpose. Send, Flush and Next are for one goroutine.
type Socket struct {
	conn     *net.UDPConn
	received chan Received
	closing  sync.Once
	reader   sync.WaitGroup

	links map[netip.AddrPort]*lossy.Link
	make  func(to netip.AddrPort) *lossy.Link
	queue agenda.Queue[outgoing]

	packets, bytes, dropped, duplicated, heldUp atomic.Uint64
}

type outgoing struct {
	to   netip.AddrPort
	data []byte
}

// Loopback is the address of a port on this machine.
func Loopback(port uint16) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), port)
}

// Listen opens a socket on a loopback port, 0 for any. Link makes the way to an address when it is first used.
func Listen(port uint16, link func(to netip.AddrPort) *lossy.Link) (*Socket, error) {
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(Loopback(port)))
	if err != nil {
		return nil, err
	}
	// Room for bursts; a system that grants less is slower and loses a little more, which is what we are here for.
	_ = conn.SetReadBuffer(4 << 20)
	_ = conn.SetWriteBuffer(1 << 20)
	s := &Socket{
		conn: conn, received: make(chan Received, 1_024),
		links: make(map[netip.AddrPort]*lossy.Link), make: link,
	}
	s.reader.Add(1)
	go s.read()
	return s, nil
}

// Addr is the address of the socket.
func (s *Socket) Addr() netip.AddrPort { return s.conn.LocalAddr().(*net.UDPAddr).AddrPort() }

// Received is where datagrams come out. It is closed with the socket.
func (s *Socket) Received() <-chan Received { return s.received }

func (s *Socket) read() {
	defer s.reader.Done()
	defer close(s.received)
	buffer := make([]byte, MaxDatagram)
	for {
		n, from, err := s.conn.ReadFromUDPAddrPort(buffer)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // such as a refusal that somebody who left sent back
		}
		from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		select {
		case s.received <- Received{From: from, Data: append([]byte(nil), buffer[:n]...)}:
		default: // nobody takes them out fast enough: a full buffer drops, as in any network
		}
	}
}

// Send gives a datagram to the lossy layer. Flush sends what is due.
func (s *Socket) Send(to netip.AddrPort, data []byte, now time.Time) error {
	if len(data) > MaxDatagram {
		return fmt.Errorf("%d bytes do not fit into a UDP datagram of %d", len(data), MaxDatagram)
	}
	link := s.links[to]
	if link == nil {
		link = s.make(to)
		s.links[to] = link
	}
	s.packets.Add(1)
	s.bytes.Add(uint64(len(data)))
	fate := link.Next()
	switch len(fate.Delays) {
	case 0:
		s.dropped.Add(1)
	case 2:
		s.duplicated.Add(1)
	}
	if fate.HeldUp {
		s.heldUp.Add(1)
	}
	for _, delay := range fate.Delays {
		s.queue.Push(now.Add(delay), outgoing{to: to, data: data})
	}
	return nil
}

// Flush sends what is due by now.
func (s *Socket) Flush(now time.Time) error {
	for {
		packet, ok := s.queue.Pop(now)
		if !ok {
			return nil
		}
		if err := s.direct(packet.to, packet.data); err != nil {
			return err
		}
	}
}

// direct sends past the lossy layer.
func (s *Socket) direct(to netip.AddrPort, data []byte) error {
	_, err := s.conn.WriteToUDPAddrPort(data, to)
	// A full buffer or an absent receiver is loss like any other.
	if errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ENOBUFS) {
		return nil
	}
	return err
}

// Next tells when Flush has something to do.
func (s *Socket) Next() (time.Time, bool) { return s.queue.Next() }

// Counters is what the socket did so far. It may be called from anywhere.
func (s *Socket) Counters() Counters {
	return Counters{
		Packets: s.packets.Load(), Bytes: s.bytes.Load(),
		Dropped: s.dropped.Load(), Duplicated: s.duplicated.Load(), HeldUp: s.heldUp.Load(),
	}
}

// Close closes the socket and waits for its reader.
func (s *Socket) Close() error {
	var err error
	s.closing.Do(func() { err = s.conn.Close() })
	s.reader.Wait()
	return err
}
