package reliable

import (
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"golang.org/x/crypto/sha3"
	"google.golang.org/protobuf/encoding/protowire"
)

// Segmentation splits payloads that are too large for a message of the network (Message Segmentation and Reconstruction, LIP
// 243). Each segment is an SDS message of its own, and so is a payload that needs no splitting: with a header that says so.
// Zero values stand for the defaults.
//
// What others claim is bounded in number, bytes and time. Whoever can send in the channel under the name of another member can
// spoil the payloads of that member while they are under way: SegmentsDropped tells.
type Segmentation struct {
	// SegmentBytes is the most that a segment has, header included, before SDS and encryption add to it. Default: 100 KiB.
	SegmentBytes int
	// MaxSegments is the most that a payload has, parity included; the same for all members. Default: 256.
	MaxSegments int
	// MaxPayloadBytes is the largest payload, sent or received. Default: 16 MiB.
	MaxPayloadBytes int

	// Parity makes up for lost segments. It decodes those of others, and, if ParityRate is above 0, encodes ours. Default:
	// nil, none: parity segments of others are of no use then. See the package parity.
	Parity ErasureCode
	// ParityRate is how many parity segments a payload gets, in relation to its others, rounded up. Below 1. Default: 0.
	ParityRate float64

	// MaxSets is the number of incomplete payloads that are held, per channel; beyond it the one that was quiet for longest is
	// dropped. Default: 64.
	MaxSets int
	// MaxSetBytes is how much they hold together. Default: 32 MiB.
	MaxSetBytes int
	// Timeout is how long an incomplete payload may be quiet. Default: 30 minutes, or three times the DependencyTimeout of
	// SDS if that is more.
	Timeout time.Duration
}

// ErasureCode makes parity, and makes up what is missing.
type ErasureCode interface {
	// Encode returns so many parity shards for data shards of equal length, a multiple of 64.
	Encode(data [][]byte, parity int) ([][]byte, error)
	// Reconstruct fills in the data shards that are nil. Shards are the data shards and then the parity shards, all of equal
	// length or nil, at least as many as there are data shards.
	Reconstruct(shards [][]byte, data int) error
}

const (
	// shardUnit: shards of a Leopard code have a multiple of so many bytes.
	shardUnit = 64
	// segmentHeader is the most that a header takes.
	segmentHeader = 128
	hashSize      = 32
	setIDSize     = 16
)

func (s Segmentation) complete(config *Config) (*Segmentation, error) {
	set := func(field *int, value int) {
		if *field == 0 {
			*field = value
		}
	}
	set(&s.SegmentBytes, 100<<10)
	set(&s.MaxSegments, 256)
	set(&s.MaxPayloadBytes, 16<<20)
	set(&s.MaxSets, 64)
	set(&s.MaxSetBytes, 32<<20)
	if s.Timeout == 0 {
		s.Timeout = max(30*time.Minute, 3*config.SDS.DependencyTimeout)
	}
	switch {
	case s.SegmentBytes < segmentHeader+shardUnit:
		return nil, fmt.Errorf("SegmentBytes must be at least %d", segmentHeader+shardUnit)
	case s.SegmentBytes > config.SDS.MaxMessageBytes/2:
		return nil, fmt.Errorf("SegmentBytes must be at most half of SDS.MaxMessageBytes (%d)", config.SDS.MaxMessageBytes)
	case s.MaxSegments < 1 || s.MaxSegments > 65_536:
		return nil, errors.New("MaxSegments must be 1 to 65,536")
	case !(s.ParityRate >= 0 && s.ParityRate < 1):
		return nil, errors.New("ParityRate must be at least 0 and below 1")
	case s.ParityRate > 0 && s.Parity == nil:
		return nil, errors.New("ParityRate needs a Parity")
	case s.MaxSets < 1 || s.MaxPayloadBytes < 1:
		return nil, errors.New("MaxSets and MaxPayloadBytes must be at least 1")
	case s.MaxSetBytes < s.MaxPayloadBytes:
		return nil, errors.New("MaxSetBytes must hold a payload of MaxPayloadBytes")
	case s.Timeout <= config.SDS.DependencyTimeout:
		return nil, errors.New("Timeout must be above SDS.DependencyTimeout")
	}
	return &s, nil
}

// segment is one part of a payload.
type segment struct {
	// set tells apart what else may have the same content; nil from implementations that have no such field.
	set    []byte
	hash   [hashSize]byte
	length int
	// index and count are those of its kind: data, or parity.
	index, count int
	parity       bool
	data         []byte
}

// The field numbers of LIP 243. It has no id for a payload; ours is in a field that others skip, as it tells them to.
const (
	fieldHash   protowire.Number = 1
	fieldLength protowire.Number = 2
	fieldIndex  protowire.Number = 3
	fieldCount  protowire.Number = 4
	fieldParity protowire.Number = 5
	fieldData   protowire.Number = 6
	fieldSet    protowire.Number = 50_001
)

func (s *segment) encode() []byte {
	number := func(b []byte, field protowire.Number, value uint64) []byte {
		if value == 0 {
			return b
		}
		return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), value)
	}
	text := func(b []byte, field protowire.Number, value []byte) []byte {
		if len(value) == 0 {
			return b
		}
		return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), value)
	}
	b := make([]byte, 0, segmentHeader+len(s.data))
	b = text(b, fieldHash, s.hash[:])
	b = number(b, fieldLength, uint64(s.length))
	b = number(b, fieldIndex, uint64(s.index))
	b = number(b, fieldCount, uint64(s.count))
	b = number(b, fieldParity, protowire.EncodeBool(s.parity))
	b = text(b, fieldData, s.data)
	return text(b, fieldSet, s.set)
}

var errSegment = errors.New("not a segment")

// decodeSegment reads what others sent. The data lies in what was given.
func decodeSegment(b []byte, limits *Segmentation) (*segment, error) {
	var s segment
	var length, index, count, parity uint64
	var hash []byte
	for len(b) > 0 {
		field, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return nil, errSegment
		}
		b = b[n:]
		var number uint64
		var text []byte
		switch kind {
		case protowire.VarintType:
			number, n = protowire.ConsumeVarint(b)
		case protowire.BytesType:
			text, n = protowire.ConsumeBytes(b)
		default:
			n = protowire.ConsumeFieldValue(field, kind, b)
		}
		if n < 0 {
			return nil, errSegment
		}
		b = b[n:]
		switch {
		case kind == protowire.VarintType && field == fieldLength:
			length = number
		case kind == protowire.VarintType && field == fieldIndex:
			index = number
		case kind == protowire.VarintType && field == fieldCount:
			count = number
		case kind == protowire.VarintType && field == fieldParity:
			parity = number
		case kind == protowire.BytesType && field == fieldHash:
			hash = text
		case kind == protowire.BytesType && field == fieldData:
			s.data = text
		case kind == protowire.BytesType && field == fieldSet:
			s.set = text
		}
	}
	if len(hash) != hashSize || len(s.set) != 0 && len(s.set) != setIDSize || len(s.data) == 0 ||
		count < 1 || count > uint64(limits.MaxSegments) || index >= count ||
		length < 1 || length > uint64(limits.MaxPayloadBytes) {
		return nil, errSegment
	}
	s.hash = [hashSize]byte(hash)
	s.length, s.index, s.count, s.parity = int(length), int(index), int(count), parity != 0
	return &s, nil
}

// id names the payload.
func (s *segment) id() RequestID {
	if len(s.set) > 0 {
		return RequestID(hex.EncodeToString(s.set))
	}
	return RequestID(hex.EncodeToString(s.hash[:]))
}

// hashOf is the hash of a payload: Keccak-256, as before it became a standard.
func hashOf(payload []byte) (hash [hashSize]byte) {
	h := sha3.NewLegacyKeccak256()
	h.Write(payload)
	h.Sum(hash[:0])
	return hash
}

// split makes the segments of a payload, data first. The id is used if there are several.
func (s *Segmentation) split(payload, id []byte) ([]*segment, error) {
	if len(payload) > s.MaxPayloadBytes {
		return nil, fmt.Errorf("%d bytes, over MaxPayloadBytes %d", len(payload), s.MaxPayloadBytes)
	}
	hash := hashOf(payload)
	shard := (s.SegmentBytes - segmentHeader) / shardUnit * shardUnit
	data := (len(payload) + shard - 1) / shard
	if data <= 1 {
		return []*segment{{hash: hash, length: len(payload), count: 1, data: payload}}, nil
	}
	parity := s.parityFor(data)
	if data+parity > s.MaxSegments {
		return nil, fmt.Errorf("%d bytes would take %d segments, over MaxSegments %d", len(payload), data+parity, s.MaxSegments)
	}
	segments := make([]*segment, 0, data+parity)
	for i := range data {
		segments = append(segments, &segment{
			set: id, hash: hash, length: len(payload), index: i, count: data,
			data: payload[i*shard : min((i+1)*shard, len(payload))],
		})
	}
	if parity == 0 {
		return segments, nil
	}
	shards := make([][]byte, data)
	for i, s := range segments {
		shards[i] = s.data
	}
	shards[data-1] = pad(shards[data-1], shard)
	made, err := s.Parity.Encode(shards, parity)
	if err != nil {
		return nil, err
	}
	for i, shard := range made {
		segments = append(segments, &segment{
			set: id, hash: hash, length: len(payload), index: i, count: parity, parity: true, data: shard,
		})
	}
	return segments, nil
}

// parityFor is how many parity segments so many others get: fewer than these.
func (s *Segmentation) parityFor(data int) int {
	parity := int(s.ParityRate * float64(data))
	if float64(parity) < s.ParityRate*float64(data) {
		parity++
	}
	return min(parity, data-1)
}

// pad returns a copy with zeros behind it.
func pad(shard []byte, length int) []byte {
	padded := make([]byte, length)
	copy(padded, shard)
	return padded
}
