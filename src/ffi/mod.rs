//! The C ABI: `include/sds.h` is generated from this folder.
//!
//! The rules of the boundary, which every function here keeps:
//!
//! * A function that can fail returns a [`sds_status_t`], 0 being success, and takes an optional
//!   `sds_error_t *` for the details of *this* call. Nothing is kept per thread or per handle.
//! * A call that fails changes nothing, and writes none of its outputs.
//! * Texts and bytes are (pointer, length), borrowed for the call only. NULL with length 0 is the empty one; NULL with
//!   another length is an error. Texts are UTF-8.
//! * Managers are named by numbers, not addresses: a closed, forged or stale one is answered with a status.
//! * No callbacks. Whatever concerns other messages than the call's own is drained with `sds_drain`.
//! * No panic crosses: it becomes `SDS_PANIC`, and the manager answers `SDS_POISONED` from then on.
//! * Any function may be called from any thread at any time.
//! * Nothing else that a call reads or writes may lie in the `sds_buffer_t` that it writes, which may move: that is refused.
//!   Numbers and structures are written through pointers, last of all, so that it does not matter what else they overlap
//!   with.

// The comments here become those of the header, which is read by C programmers: what must hold is said there, in their
// terms, under Parameters and Ownership. C has no tuples either, so that calls take many arguments.
#![allow(clippy::missing_safety_doc, clippy::too_many_arguments)]
// Pointers from C: the one place for unsafe code.
#![allow(unsafe_code)]

mod args;
mod buffer;
mod channel;
mod config;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzz;
mod guard;
mod handle;
mod inspect;
mod log;
mod manager;
mod message;
mod process;
mod read;
mod record;
mod report;
mod status;
mod store;

pub use buffer::*;
pub use channel::*;
pub use config::*;
pub use handle::sds_manager_t;
pub use inspect::*;
pub use log::*;
pub use manager::*;
pub use message::*;
pub use process::*;
pub use read::*;
pub use record::*;
pub use status::*;
pub use store::*;
