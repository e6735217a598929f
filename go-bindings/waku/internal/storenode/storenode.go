// Package storenode is a store for tests and the demo: it keeps what its go-waku node relays, and answers queries by message
// hash (/vac/waku/store-query/3.0.0), of which go-waku has the client only.
package storenode

import (
	"context"
	"sync"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-msgio/pbio"
	"github.com/waku-org/go-waku/waku/v2/node"
	"github.com/waku-org/go-waku/waku/v2/protocol"
	wakupb "github.com/waku-org/go-waku/waku/v2/protocol/pb"
	"github.com/waku-org/go-waku/waku/v2/protocol/store"
	"github.com/waku-org/go-waku/waku/v2/protocol/store/pb"
	"google.golang.org/protobuf/proto"
)

// maxRequestBytes bounds what is asked: 100 hashes take 3.4 KB.
const maxRequestBytes = 64 << 10

// Store keeps the messages of one pubsub topic, all of them.
type Store struct {
	mu       sync.Mutex
	messages map[wakupb.MessageHash]*pb.WakuMessageKeyValue
	down     bool
	queries  int
}

// Serve makes a started relay node a store, until the context is done.
func Serve(ctx context.Context, wakuNode *node.WakuNode, pubsubTopic string) (*Store, error) {
	s := &Store{messages: make(map[wakupb.MessageHash]*pb.WakuMessageKeyValue)}
	subscriptions, err := wakuNode.Relay().Subscribe(ctx, protocol.NewContentFilter(pubsubTopic))
	if err != nil {
		return nil, err
	}
	for _, subscription := range subscriptions {
		go func() {
			for envelope := range subscription.Ch {
				s.keep(envelope)
			}
		}()
	}
	wakuNode.Host().SetStreamHandler(store.StoreQueryID_v300, s.answer)
	return s, nil
}

// SetDown has the store refuse all queries, or answer them again. It keeps messages all the same.
func (s *Store) SetDown(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
}

// Queries counts the queries that were answered.
func (s *Store) Queries() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.queries
}

// Len counts the messages.
func (s *Store) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.messages)
}

func (s *Store) keep(envelope *protocol.Envelope) {
	s.mu.Lock()
	defer s.mu.Unlock()
	hash, topic := envelope.Hash(), envelope.PubsubTopic()
	s.messages[hash] = &pb.WakuMessageKeyValue{MessageHash: hash.Bytes(), Message: envelope.Message(), PubsubTopic: &topic}
}

func (s *Store) answer(stream network.Stream) {
	request := &pb.StoreQueryRequest{}
	err := pbio.NewDelimitedReader(stream, maxRequestBytes).ReadMsg(request)
	if err == nil {
		err = pbio.NewDelimitedWriter(stream).WriteMsg(s.find(request))
	}
	if err != nil {
		_ = stream.Reset()
		return
	}
	_ = stream.Close()
}

func (s *Store) find(request *pb.StoreQueryRequest) *pb.StoreQueryResponse {
	s.mu.Lock()
	defer s.mu.Unlock()
	refused := func(code uint32, text string) *pb.StoreQueryResponse {
		return &pb.StoreQueryResponse{RequestId: request.RequestId, StatusCode: &code, StatusDesc: &text}
	}
	if s.down {
		return refused(503, "SERVICE_UNAVAILABLE")
	}
	if err := request.Validate(); err != nil {
		return refused(400, err.Error())
	}
	if len(request.MessageHashes) == 0 {
		return refused(400, "only queries by message hash are answered here")
	}
	s.queries++
	answer := &pb.StoreQueryResponse{RequestId: request.RequestId, StatusCode: proto.Uint32(200), StatusDesc: proto.String("OK")}
	for _, hash := range request.MessageHashes[:min(len(request.MessageHashes), store.MaxPageSize)] {
		if message := s.messages[wakupb.ToMessageHash(hash)]; message != nil {
			answer.Messages = append(answer.Messages, message)
		}
	}
	return answer
}
