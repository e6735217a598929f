// Package packetstore keeps packets by the hash of their bytes: the tiny cousin of a network's store node. The hash is
// the retrieval hint that goes out in causal histories.
package packetstore

import (
	"crypto/sha256"
	"math/rand/v2"
	"sync"
	"time"
)

// Hint is the hash that a packet is kept under.
func Hint(packet []byte) []byte {
	sum := sha256.Sum256(packet)
	return sum[:]
}

// Store keeps the newest packets. It is safe for concurrent use.
type Store struct {
	mu      sync.Mutex
	limit   int
	packets map[[sha256.Size]byte][]byte
	order   [][sha256.Size]byte
}

// New makes a store of at most limit packets; the oldest leaves first.
func New(limit int) *Store {
	return &Store{limit: limit, packets: make(map[[sha256.Size]byte][]byte)}
}

// Put keeps a packet and returns its hint. The packet must not be changed afterwards.
func (s *Store) Put(packet []byte) (hint []byte) {
	key := sha256.Sum256(packet)
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.packets[key]; !known {
		if len(s.order) >= s.limit {
			delete(s.packets, s.order[0])
			s.order = s.order[1:]
		}
		s.packets[key] = packet
		s.order = append(s.order, key)
	}
	return key[:]
}

// Get returns the packet with this hint, nil if there is none.
func (s *Store) Get(hint []byte) []byte {
	if len(hint) != sha256.Size {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.packets[[sha256.Size]byte(hint)]
}

// Service answers queries as a store node does: after a moment, and now and then not at all.
type Service struct {
	store    *Store
	failures float64

	mu     sync.Mutex
	random *rand.Rand
}

// NewService offers a store; failures is the share of queries without an answer, 0 to 1.
func NewService(store *Store, seed uint64, failures float64) *Service {
	return &Service{store: store, failures: failures, random: rand.New(rand.NewPCG(seed, 0x73746f7265))}
}

// Ask returns the packet with this hint and how long the answer takes; nil if the query failed or nothing was found.
func (s *Service) Ask(hint []byte) (packet []byte, takes time.Duration) {
	s.mu.Lock()
	failed := s.random.Float64() < s.failures
	takes = 150*time.Millisecond + time.Duration(s.random.Int64N(int64(300*time.Millisecond)))
	s.mu.Unlock()
	if failed {
		return nil, takes
	}
	return s.store.Get(hint), takes
}
