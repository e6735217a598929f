// Package sds is the Go API of sds-go-bindings, on another engine: that of sds-rs. A program written for
// github.com/waku-org/sds-go-bindings/sds builds and runs on it after one line in its go.mod,
//
//	replace github.com/waku-org/sds-go-bindings => /path/to/sds-rs/go-bindings/dropin
//
// and `make` in that checkout. docs/status-go.md tells what changes, and how to go on from there.
//
// # What it does
//
// A [ReliabilityManager] makes a message reliable on its way out ([ReliabilityManager.WrapOutgoingMessage]), and takes in
// what the network brought ([ReliabilityManager.UnwrapReceivedMessage]). Channels come into being by use, and speak the
// wire format of libsds. What happens besides is told by callbacks, on one goroutine of the manager's own, one after the
// other and in causal order; each once for each fact. They may call any method of the manager, Cleanup included.
//
// All methods are safe for concurrent use. Those of a nil manager return an error.
//
// # Beyond the old API
//
// [NewReliabilityManagerWith] makes a manager that has an identity, keeps its state in a file or in the database of the
// program, and hands out the messages that are to be sent again. [ReliabilityManager.Engine] is the engine below, for all
// that it offers more, such as the log and the status of a message; package engine, beside this one, describes it.
//
// # Why there is a copy of the engine's bindings here
//
// Go ignores the replace lines of dependencies. Were the bindings a dependency of this module, every program would need a
// second line, to replace them by the checkout, too. So they have to be part of this module. (Nor can go-bindings itself
// stand in for the old module: its package sds has an API of its own.) Package engine is go-bindings/sds under another name,
// which `make` writes beside the library that it builds (tools/dropin.sh): it is not in git, and never older than the
// library. A program may use go-bindings/sds, too; both link the same library.
package sds
