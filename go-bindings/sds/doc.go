// Package sds makes a group chat over a lossy broadcast network reliable. It implements SDS, Scalable Data Sync (RFC 109):
// a sender learns that somebody has its message, a receiver learns that it missed one, and both can do something about it.
//
// It binds the library libsds.a, which `make` builds at the top of the repository; after that, plain `go build` works, also
// in modules that replace this one by the checkout. With the build tag sds_system it binds the library that is installed,
// where pkg-config finds it.
//
// # How it works
//
// A [Manager] is one participant in any number of channels. It opens no socket, starts no goroutine and reads no clock:
// bytes go in and out of its methods, and the time comes in with them. What a call learns about its own message it
// returns; everything else waits as an [Output] until it is drained.
//
//  1. Open a manager with [Open] and the channels with [Manager.OpenChannel].
//  2. To send, call [Manager.WrapOutgoing] and broadcast the bytes that it returns; or [Manager.AppendOutgoing], which
//     takes the same memory again.
//  3. For every message that the network brings, call [Manager.UnwrapIncoming]. Show the content unless it is a duplicate,
//     an echo or a sync message; if its disposition says that it waits, its place in the order is told later. Bytes
//     refused with [ErrNotSDS] are traffic of another kind.
//  4. Call [Manager.Tick] at [Manager.NextDeadline], or about once a second if you prefer: it resends what nobody
//     confirmed, sends sync messages, and gives up what was waited for too long.
//  5. After each of these, [Manager.Drain] and act: broadcast [Transmit]; fetch [Missing] by its hint, if the network can;
//     show [Delivered], [Acknowledged], [Failed] and the rest as you like.
//  6. Close it with [Manager.Close].
//
// [Manager.Run] does steps 4 and 5 in a loop. Use either that or your own.
//
// # Keeping state
//
// There are three ways to open a manager. [Open] keeps its state in memory only: for tests, and for what may be forgotten.
// [OpenStore] keeps it in a file of its own: for programs that show the log that is in it, or compare theirs with it at
// start. [OpenExternal] leaves it
// to the program, which keeps the records in a database that it has anyway, and commits them in one transaction with rows of
// its own: for programs whose rows have to agree with them, or whose database is encrypted. After either, an app that has
// no log of its own shows the stored one ([Manager.ReadLog], [Manager.ReadLogRecord]) before the network is up; and one that
// has a history from before tells of it once ([Manager.SeedHistory]).
//
// # Times
//
// Every method that needs the time has a parameter now, in whole milliseconds since 1970; tests can pass any. A clock that
// is set back is dealt with. Lamport timestamps are milliseconds, too.
//
// # Errors
//
// A refused call returns an [*Error] and has changed nothing. Compare it by errors.Is with [ErrUnknownChannel] and the
// other statuses. What the protocol makes of a message (it waits, it was lost, nobody confirmed it) is never an error.
//
// # Concurrency
//
// Everything in this package is safe for concurrent use, Close included.
package sds
