package waku

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-msgio/pbio"
	"github.com/waku-org/go-waku/waku/v2/protocol"
	wakupb "github.com/waku-org/go-waku/waku/v2/protocol/pb"
	"github.com/waku-org/go-waku/waku/v2/protocol/store"
	"github.com/waku-org/go-waku/waku/v2/protocol/store/pb"
	"google.golang.org/protobuf/proto"

	"github.com/status-im/sds-rs/go-bindings/reliable"
)

const (
	// maxAnswerBytes bounds what a store may answer: a page of 100 messages of 150 KiB, the largest that are relayed.
	maxAnswerBytes = 16 << 20
	// maxQueried is how many hashes are asked for at once: the pages of a store are not longer.
	maxQueried = store.MaxPageSize
)

// Fetch asks the store peers for messages by their hashes, each for what those before it did not have.
//
// Errors: errors.ErrUnsupported if there are no store peers; else those of all of them, if none answers.
func (n *Node) Fetch(ctx context.Context, hashes [][]byte) ([]reliable.Message, error) {
	stores := *n.stores.Load()
	if len(stores) == 0 {
		return nil, fmt.Errorf("waku: no store peers: %w", errors.ErrUnsupported)
	}
	// Hints are what others say they are. One that is no hash of Waku's finds nothing, and must not spoil the others.
	wanted := make(map[wakupb.MessageHash]bool, len(hashes))
	var valid [][]byte
	for _, hash := range hashes {
		if key := wakupb.ToMessageHash(hash); len(hash) == len(key) && !wanted[key] {
			wanted[key] = true
			valid = append(valid, hash)
		}
	}
	var found []reliable.Message
	for first := 0; first < len(valid); first += maxQueried {
		some, err := n.fetchFromAny(ctx, stores, valid[first:min(first+maxQueried, len(valid))], wanted)
		if err != nil {
			return nil, err
		}
		found = append(found, some...)
	}
	return found, nil
}

// fetchFromAny asks the stores in turn for what those before did not have.
func (n *Node) fetchFromAny(
	ctx context.Context, stores []peer.ID, hashes [][]byte, wanted map[wakupb.MessageHash]bool,
) ([]reliable.Message, error) {
	var found []reliable.Message
	var failures error
	answered := false
	for _, peerID := range stores {
		answer, err := n.query(ctx, peerID, hashes)
		if err != nil {
			failures = errors.Join(failures, fmt.Errorf("waku: store %s: %w", peerID, err))
			if ctx.Err() != nil {
				break
			}
			continue
		}
		answered = true
		found = append(found, messages(answer, wanted)...)
		hashes = slices.DeleteFunc(hashes, func(hash []byte) bool { return !wanted[wakupb.ToMessageHash(hash)] })
		if len(hashes) == 0 {
			break
		}
	}
	if !answered {
		return nil, failures
	}
	return found, nil
}

// query asks one store peer. go-waku's own client waits for an answer whatever the context says, and takes one of 2 GiB.
func (n *Node) query(ctx context.Context, peerID peer.ID, hashes [][]byte) (*pb.StoreQueryResponse, error) {
	stream, err := n.node.Host().NewStream(ctx, peerID, store.StoreQueryID_v300)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = stream.Reset() })
	defer stop()
	request := &pb.StoreQueryRequest{
		RequestId:         fmt.Sprintf("%x", protocol.GenerateRequestID()),
		IncludeData:       true,
		MessageHashes:     hashes,
		PaginationForward: true,
		PaginationLimit:   proto.Uint64(maxQueried),
	}
	answer := &pb.StoreQueryResponse{}
	err = pbio.NewDelimitedWriter(stream).WriteMsg(request)
	if err == nil {
		err = pbio.NewDelimitedReader(stream, maxAnswerBytes).ReadMsg(answer)
	}
	if err == nil {
		err = answer.Validate(request.RequestId)
	}
	if err != nil {
		_ = stream.Reset()
		return nil, errors.Join(ctx.Err(), err)
	}
	_ = stream.Close()
	if code := answer.GetStatusCode(); code != 200 {
		return nil, store.NewStoreError(int(min(code, math.MaxInt32)), answer.GetStatusDesc())
	}
	return answer, nil
}

// messages takes from an answer what was asked for, each once. A store is not trusted: a message is what it hashes to.
func messages(answer *pb.StoreQueryResponse, wanted map[wakupb.MessageHash]bool) []reliable.Message {
	var found []reliable.Message
	for _, item := range answer.Messages {
		if item.Message == nil {
			continue
		}
		if hash := item.Message.Hash(item.GetPubsubTopic()); wanted[hash] {
			delete(wanted, hash)
			found = append(found, reliable.Message{Hash: hash.Bytes(), Payload: item.Message.Payload})
		}
	}
	return found
}
