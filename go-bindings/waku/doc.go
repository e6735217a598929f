// Package waku connects package reliable to a Waku network, by a go-waku node of the host's.
//
//	node, _ := node.New(node.WithHostAddress(address), node.WithWakuRelay())
//	_ = node.Start(ctx)
//	network, _ := waku.New(node, waku.Config{StorePeers: []peer.ID{store}})
//	client, _ := reliable.Open(network, reliable.DefaultConfig("alice-phone"))
//	channel, _ := client.CreateReliableChannel("general", "/my-app/1/general/proto", reliable.ChannelOptions{})
//
// What is published goes over relay, or, of a light node, over lightpush; what others publish comes over relay or filter.
// The retrieval hint of a message is its deterministic message hash, by which store nodes are asked for it
// (/vac/waku/store-query/3.0.0).
//
// The package is a module of its own, since go-waku brings much. Its go.mod replaces two modules, as that of go-waku does; an
// application has to, too, and builds with the tag gowaku_no_rln unless it uses RLN.
package waku
