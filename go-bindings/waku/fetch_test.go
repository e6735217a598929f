package waku

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-msgio/pbio"
	"github.com/waku-org/go-waku/waku/v2/node"
	wakupb "github.com/waku-org/go-waku/waku/v2/protocol/pb"
	"github.com/waku-org/go-waku/waku/v2/protocol/store"
	"github.com/waku-org/go-waku/waku/v2/protocol/store/pb"
	"google.golang.org/protobuf/proto"
)

// epoch is any time.
func epoch() time.Time { return time.Unix(1_700_000_000, 0) }

// fetcher makes a node that asks the others, in this order.
func fetcher(t *testing.T, others ...*node.WakuNode) *Node {
	t.Helper()
	wakuNode := startRelay(t)
	for _, other := range others {
		dial(t, wakuNode, other)
	}
	fetching, err := New(wakuNode, stores(others...))
	check(t, err)
	return fetching
}

// answering makes a store that answers as a test says.
func answering(t *testing.T, answer func(*pb.StoreQueryRequest) *pb.StoreQueryResponse) *node.WakuNode {
	t.Helper()
	wakuNode := startRelay(t)
	wakuNode.Host().SetStreamHandler(store.StoreQueryID_v300, func(stream network.Stream) {
		request := &pb.StoreQueryRequest{}
		if pbio.NewDelimitedReader(stream, 1<<20).ReadMsg(request) != nil {
			_ = stream.Reset()
		} else if response := answer(request); response != nil {
			_ = pbio.NewDelimitedWriter(stream).WriteMsg(response)
			_ = stream.Close()
		}
	})
	return wakuNode
}

func kept(payload string) *pb.WakuMessageKeyValue {
	message := &wakupb.WakuMessage{Payload: []byte(payload), ContentTopic: contentTopic("general"), Timestamp: proto.Int64(1)}
	return &pb.WakuMessageKeyValue{
		MessageHash: message.Hash(pubsubTopic).Bytes(), Message: message, PubsubTopic: proto.String(pubsubTopic),
	}
}

func found(messages ...*pb.WakuMessageKeyValue) *pb.StoreQueryResponse {
	return &pb.StoreQueryResponse{StatusCode: proto.Uint32(200), Messages: messages}
}

// Hints are what others say they are: one that is no hash does not spoil the others, and nothing is asked for twice.
func TestOnlyHashesAreAskedForEachOnce(t *testing.T) {
	one := kept("one")
	var asked [][]byte
	source := answering(t, func(request *pb.StoreQueryRequest) *pb.StoreQueryResponse {
		asked = append(asked, request.MessageHashes...)
		return found(one)
	})
	got, err := fetcher(t, source).Fetch(t.Context(), [][]byte{nil, []byte("no hash"), one.MessageHash, one.MessageHash})
	check(t, err)
	if len(asked) != 1 || len(got) != 1 || string(got[0].Payload) != "one" || string(got[0].Hash) != string(one.MessageHash) {
		t.Fatalf("%d asked for, %v", len(asked), got)
	}
}

// More than a page is asked for in several queries.
func TestManyHashesAreAskedForInPages(t *testing.T) {
	var pages []int
	source := answering(t, func(request *pb.StoreQueryRequest) *pb.StoreQueryResponse {
		pages = append(pages, len(request.MessageHashes))
		var messages []*pb.WakuMessageKeyValue
		for _, hash := range request.MessageHashes {
			for i := range 250 {
				if each := kept(fmt.Sprint(i)); string(each.MessageHash) == string(hash) {
					messages = append(messages, each)
				}
			}
		}
		return found(messages...)
	})
	var hashes [][]byte
	for i := range 250 {
		hashes = append(hashes, kept(fmt.Sprint(i)).MessageHash)
	}
	got, err := fetcher(t, source).Fetch(t.Context(), hashes)
	check(t, err)
	if fmt.Sprint(pages) != "[100 100 50]" || len(got) != 250 {
		t.Fatalf("pages of %v, %d found", pages, len(got))
	}
}

// A store is not trusted: what does not hash to what was asked for is not taken, whatever the store calls it.
func TestAStoreThatLies(t *testing.T) {
	one, other := kept("one"), kept("other")
	forged := kept("forged")
	forged.MessageHash = one.MessageHash
	source := answering(t, func(*pb.StoreQueryRequest) *pb.StoreQueryResponse { return found(forged, other, one, one) })
	got, err := fetcher(t, source).Fetch(t.Context(), [][]byte{one.MessageHash})
	check(t, err)
	if len(got) != 1 || string(got[0].Payload) != "one" {
		t.Fatalf("%v", got)
	}
}

// A store that fails, or does not have it, is passed over for the next.
func TestTheNextStoreIsAsked(t *testing.T) {
	one := kept("one")
	broken := answering(t, func(*pb.StoreQueryRequest) *pb.StoreQueryResponse {
		return &pb.StoreQueryResponse{StatusCode: proto.Uint32(503)}
	})
	source := answering(t, func(*pb.StoreQueryRequest) *pb.StoreQueryResponse { return found(one) })
	empty := answering(t, func(*pb.StoreQueryRequest) *pb.StoreQueryResponse { return found() })
	got, err := fetcher(t, broken, empty, source).Fetch(t.Context(), [][]byte{one.MessageHash})
	check(t, err)
	if len(got) != 1 {
		t.Fatalf("%v", got)
	}
	var failure *store.StoreError
	if _, err := fetcher(t, broken).Fetch(t.Context(), [][]byte{one.MessageHash}); !errors.As(err, &failure) || failure.Code != 503 {
		t.Fatalf("%v", err)
	}
}

// Store peers may change while a node is used, and whoever passed them may use its slice again.
func TestStorePeersMayChange(t *testing.T) {
	one := kept("one")
	full := answering(t, func(*pb.StoreQueryRequest) *pb.StoreQueryResponse { return found(one) })
	empty := answering(t, func(*pb.StoreQueryRequest) *pb.StoreQueryResponse { return found() })
	fetching := fetcher(t, full, empty)
	fetch := func() int {
		got, err := fetching.Fetch(t.Context(), [][]byte{one.MessageHash})
		check(t, err)
		return len(got)
	}
	peers := []peer.ID{empty.Host().ID()}
	fetching.SetStorePeers(peers)
	peers[0] = full.Host().ID()
	if n := fetch(); n != 0 {
		t.Fatalf("%d found in a store that has none", n)
	}
	fetching.SetStorePeers(peers)
	if n := fetch(); n != 1 {
		t.Fatalf("%d found", n)
	}
	fetching.SetStorePeers(nil)
	if _, err := fetching.Fetch(t.Context(), [][]byte{one.MessageHash}); !errors.Is(err, errors.ErrUnsupported) {
		t.Fatalf("without a store: %v", err)
	}
}

// A store that says nothing holds nobody up for longer than the context.
func TestASilentStore(t *testing.T) {
	asked := make(chan struct{})
	source := answering(t, func(*pb.StoreQueryRequest) *pb.StoreQueryResponse {
		close(asked)
		return nil
	})
	fetching := fetcher(t, source)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-asked
		cancel()
	}()
	if _, err := fetching.Fetch(ctx, [][]byte{make([]byte, 32)}); !errors.Is(err, context.Canceled) {
		t.Fatalf("%v", err)
	}
}

// What a configuration needs and the node lacks is an error, and no panic.
func TestErrors(t *testing.T) {
	if _, err := New(nil, Config{}); err == nil {
		t.Fatal("a nil node")
	}
	plain := startNode(t)
	if _, err := New(plain, Config{Buffer: -1}); err == nil {
		t.Fatal("a negative buffer")
	}
	for _, config := range []Config{{}, {Light: true}, {PubsubTopic: pubsubTopic}} {
		lacking, err := New(plain, config)
		if err != nil {
			continue
		}
		if _, err := lacking.Subscribe(t.Context(), contentTopic("general")); err == nil {
			t.Fatalf("subscribed with %+v", config)
		}
		if _, err := lacking.Publish(t.Context(), contentTopic("general"), []byte("hello"), epoch()); err == nil {
			t.Fatalf("published with %+v", config)
		}
		if _, err := lacking.Fetch(t.Context(), [][]byte{make([]byte, 32)}); !errors.Is(err, errors.ErrUnsupported) {
			t.Fatalf("without a store: %v", err)
		}
	}
	auto, err := New(startRelay(t), Config{})
	check(t, err)
	if _, err := auto.Subscribe(t.Context(), "no content topic"); err == nil {
		t.Fatal("a content topic without a shard")
	}
	lost, err := New(plain, Config{StorePeers: []peer.ID{startRelay(t).Host().ID()}})
	check(t, err)
	if _, err := lost.Fetch(t.Context(), [][]byte{make([]byte, 32)}); err == nil {
		t.Fatal("a store of which no address is known")
	}
}

// While nobody reads, messages are dropped and counted, and go-waku is not held up.
func TestWhatNobodyReadsIsDropped(t *testing.T) {
	a, b := startRelay(t), startRelay(t)
	connect(t, a, b)
	reader, err := New(b, Config{PubsubTopic: pubsubTopic, Buffer: 2})
	check(t, err)
	messages, err := reader.Subscribe(t.Context(), contentTopic("general"))
	check(t, err)
	writer, err := New(a, Config{PubsubTopic: pubsubTopic})
	check(t, err)
	_, err = writer.Subscribe(t.Context(), contentTopic("general"))
	check(t, err)
	awaitMesh(t, a, b)
	for i := range 6 {
		_, err := writer.Publish(t.Context(), contentTopic("general"), []byte{byte(i)}, epoch())
		check(t, err)
	}
	for deadline := time.Now().Add(patience); reader.Dropped() < 4; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d dropped", reader.Dropped())
		}
	}
	if len(messages) != 2 {
		t.Fatalf("%d wait", len(messages))
	}
}
