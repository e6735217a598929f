//! End-to-end reliability for group chat over networks that lose messages: Scalable Data Sync, RFC 109.
//!
//! A group talks over a broadcast network that loses, repeats and reorders. With this engine the sender of a message
//! learns that somebody has it, a receiver learns what it missed, and both can do something about it. Every message
//! carries the names of the few before it and a filter of all recent ones; the rest follows from these two.
//!
//! The engine does no I/O. It has no clock, no thread, no socket and no global random source: the host passes in bytes
//! and the time, takes out bytes and events, and asks when to come again.
//!
//! # The run loop
//!
//! 1. Open a [`Manager`] with a [`Config`], and its channels.
//! 2. To send, [`wrap_outgoing`](Manager::wrap_outgoing) and broadcast the bytes. Give the message's
//!    [retrieval hint](Manager::set_retrieval_hint) once the network told it.
//! 3. For what arrives, [`unwrap_incoming`](Manager::unwrap_incoming). It returns the content and what became of it.
//! 4. Sleep until [`next_deadline`](Manager::next_deadline), or until 2 or 3 has something to do; then
//!    [`tick`](Manager::tick).
//! 5. After each of these, [`drain`](Manager::drain): broadcast what is to be transmitted, fetch what is missing, show
//!    what was acknowledged, and go on with 2.
//!
//! ```
//! use sds::output::{ChannelOptions, Disposition, Event, Output};
//! use sds::{Config, Manager};
//!
//! # fn main() -> Result<(), sds::Error> {
//! let member = |id: &str| Manager::open(Config { participant_id: id.into(), ..Config::default() });
//! let (alice, bob) = (member("alice")?, member("bob")?);
//! let mut now_ms = 1_790_000_000_000;
//! alice.open_channel("garden", ChannelOptions::default(), now_ms)?;
//! bob.open_channel("garden", ChannelOptions::default(), now_ms)?;
//!
//! // The first message gets lost; the second names it.
//! let lost = alice.wrap_outgoing("garden", Some("m1"), b"who waters the tomatoes?", now_ms)?;
//! let next = alice.wrap_outgoing("garden", Some("m2"), b"it is 35 degrees", now_ms)?;
//! let received = bob.unwrap_incoming(&next.bytes, now_ms)?;
//! assert_eq!(received.disposition, Disposition::Waiting);
//! assert_eq!(received.unmet[0].message_id.as_str(), "m1");
//!
//! // Nobody confirmed it, so alice's engine sends it again, and now all is delivered, in order.
//! now_ms += 5_000;
//! alice.tick(now_ms)?;
//! for (_channel, output) in alice.drain() {
//!     if let Output::Transmit(transmit) = output {
//!         bob.unwrap_incoming(&transmit.bytes, now_ms)?;
//!     }
//! }
//! let delivered = |output: &Output| matches!(output, Output::Event(Event::Delivered(it)) if &*it.message_id == "m2");
//! assert!(bob.drain().iter().any(|(_, output)| delivered(output)));
//! # assert_eq!(lost.message_id.as_str(), "m1");
//! # Ok(())
//! # }
//! ```
//!
//! # Where each step of the RFC is
//!
//! | RFC 109 | file |
//! |---|---|
//! | Message, its kinds | [`types`]; its bytes in both profiles: [`wire`] |
//! | Participant state | [`channel`]; the filter: [`bloom`]; limits and intervals: [`config`] |
//! | Send Message, Ephemeral Messages | `channel/send.rs` |
//! | Receive Message, Deliver Message | `channel/receive.rs` |
//! | Resolve Conflicts | `channel/log.rs` |
//! | Review ACK Status | `channel/outgoing.rs` |
//! | the sweeps, Periodic Sync Message | `channel/tick.rs` |
//! | SDS-R send, receive | `channel/send.rs`, `channel/requests.rs` |
//! | SDS-R state, T_req, T_resp, response group | [`channel::repair`] |
//!
//! Above them, [`manager`] decodes, routes, locks and queues, and [`ffi`] is the C ABI over it.
//!
//! # Errors
//!
//! An [`Error`] concerns the call that returned it, which then changed nothing. What the protocol makes of a message is
//! never an error: it comes as a [`Disposition`](output::Disposition) or an [`Event`](output::Event). Remote bytes are
//! checked against the limits of the configuration while they are parsed; no bytes make the engine panic.

pub mod bloom;
pub mod channel;
pub mod config;
pub mod error;
// In WebAssembly, `wasm/` takes its place.
#[cfg(not(target_family = "wasm"))]
pub mod ffi;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzz;
pub mod idhash;
pub mod inspect;
mod locks;
pub mod manager;
pub mod output;
pub mod record;
pub mod store;
pub mod types;
pub mod wire;

pub use config::Config;
pub use error::Error;
pub use manager::Manager;
