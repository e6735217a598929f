// Package reliable is an easy layer over package sds: the Reliable Channel API (LIP 173) over any network that broadcasts. A
// host tells how to publish, receive and fetch ([Node]: three methods); the package does the rest.
//
// # How it works
//
// A [Client] is one participant: a node, an engine (sds.Manager) and its state. A [Channel] of it has two ends:
// [Channel.Send] returns an id at once, and [Channel.Events] brings what others sent and what became of ours. Between them
//
//   - what is sent goes through segmentation, SDS, encryption, the [Tag] and the rate limit, to the node; what comes takes
//     the same way back. Each of these but SDS is optional, the tag with ChannelOptions.Untagged;
//   - what nobody acknowledged is resent, with backoff and a fresh envelope timestamp, until [Delivered] or [DeliveryError];
//   - what others name and is not here is fetched from the store by its hash, at once and in batches, again with backoff; if
//     there is no store, or it does not have it, the members repair it among themselves (SDS-R). What does not come in time is
//     [Lost];
//   - what comes before something that it depends on is offered at once as [Received], Pending, and as [Ready] when its order is
//     known. [SyncStatus] says how much is missing.
//
// # Reading events
//
// The queue behind Events never blocks what the client does for others, and never drops a payload or what became of one. It is
// bounded all the same: when ChannelOptions.EventLimit events, or EventBytes of them, are unread, nothing more is taken from
// the network and the store, and Send is refused. What the application sent before is still resent and acknowledged, at most
// three events for each. Other events are dropped then, and counted (SyncStatus.EventsDropped).
//
// # Time offline
//
// Tell the client with [Client.SetOnline], and with [Client.Pause] and [Client.Resume] of an app in the background. Whatever was
// missed is noticed from the first recent message, which names those before it, and fetched from there on backwards; the
// sync messages of others name them too, so that nobody has to say anything.
//
// # State
//
// With Config.StorePath, or Config.External, a client goes on where the last one stopped, crashes included: what was not
// acknowledged is resent under the ids that Send returned, what is missing is fetched, half-received payloads are completed.
//
// Events that were not read when the process ended are not told again: the engine counts their messages as delivered. With
// ChannelOptions.Replay the stored log comes first: for an app that has no log of its own, or that has one and skips the ids
// that are in it.
//
// # Defaults, and those of LIP 173
//
// The same: the [Tag]; 5 s before the first resend and at most 5 resends; no encryption, no parity and no rate limit, and an epoch of
// 600 s ([DefaultEpoch]) for whoever limits; segments of 100 KiB. What differs:
//
//   - A message names the last 3 before it, not 2, and as many older ones at most that few have named yet
//     (sds.Config.CausalHistorySize). Who receives neither a message nor one that names it never learns that it misses it, and
//     with 2 names that happens too often where a tenth of all messages is lost. A name costs about a hundred bytes.
//   - The wait before a resend doubles each time, and is 15 s at first for a message that somebody may have, by the filters
//     of others. LIP 173 has one timeout.
//   - Segmentation is off; LIP 173 splits what is over 100 KiB. Once it is on, a payload in one segment has a header, too
//     ([Segmentation]), so that all members must agree.
//   - State is in memory, unless the Config says where: LIP 173 leaves that to whoever implements it.
//   - At the start no store is asked for a span of time. What was missed is found from the first recent message, by its hash:
//     see above.
//
// # Metrics and logs
//
// [Client.Stats] has counts; the package metrics, in a folder of its own, offers them to Prometheus. Config.Logger is told what
// goes on. The package parity has a Reed-Solomon code for [Segmentation]. Whoever does not import the two does not link
// what they need.
package reliable
