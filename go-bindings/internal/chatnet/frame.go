package chatnet

import (
	"bytes"
	"errors"
	"strings"
)

// frameKind is the first thing that a datagram tells.
type frameKind byte

const (
	// frameMessage: an SDS message for everybody.
	frameMessage frameKind = 1
	// frameHello: room, name and id of somebody who is here.
	frameHello frameKind = 2
	// frameBye: the same, of somebody who leaves.
	frameBye frameKind = 3
	// frameAsk: the retrieval hint of a message that somebody misses.
	frameAsk frameKind = 4
	// frameAnswer: an SDS message, for whoever asked.
	frameAnswer frameKind = 5
	// frameRepair: an SDS message for everybody, because somebody asked for it (SDS-R). To the protocol it is like any
	// other; here it is told apart for the statistics.
	frameRepair frameKind = 6
)

// frameHead is before the kind: a mark and a version, so that stray datagrams are told from ours.
var frameHead = []byte{'S', 'c', 1}

var errNotOurs = errors.New("not a datagram of this chat")

func encodeFrame(kind frameKind, body []byte) []byte {
	frame := make([]byte, 0, len(frameHead)+1+len(body))
	frame = append(frame, frameHead...)
	frame = append(frame, byte(kind))
	return append(frame, body...)
}

func decodeFrame(frame []byte) (frameKind, []byte, error) {
	if len(frame) <= len(frameHead) || !bytes.HasPrefix(frame, frameHead) {
		return 0, nil, errNotOurs
	}
	return frameKind(frame[len(frameHead)]), frame[len(frameHead)+1:], nil
}

// hello is what frameHello and frameBye hold.
type hello struct{ room, name, id string }

func (h hello) encode() []byte { return []byte(h.room + "\x00" + h.name + "\x00" + h.id) }

func decodeHello(body []byte) (hello, error) {
	parts := strings.Split(string(body), "\x00")
	if len(parts) != 3 || len(body) > 1_024 || parts[1] == "" || parts[2] == "" {
		return hello{}, errNotOurs
	}
	return hello{room: parts[0], name: parts[1], id: parts[2]}, nil
}
