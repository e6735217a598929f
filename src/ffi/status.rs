//! Status codes: what they mean, and which error becomes which.

use std::ffi::{CStr, c_char};

use crate::error::{DecodeError, Error, StoreError};

/// The outcome of a call. The numbers are part of the ABI: they are never changed and never reused.
#[allow(non_camel_case_types)]
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum sds_status_t {
    /// Success.
    SDS_OK = 0,
    /// A pointer is NULL that must not be, or a length, a time or an enumerated value is impossible.
    SDS_INVALID_ARGUMENT = 1,
    /// The manager handle was never given out.
    SDS_INVALID_HANDLE = 2,
    /// The manager is closed.
    SDS_CLOSED = 3,
    /// A panic happened in an earlier call on this manager; only `sds_manager_close` works.
    SDS_POISONED = 4,
    /// A panic happened in this call: a bug of ours. The manager is poisoned.
    SDS_PANIC = 5,
    /// A text is not UTF-8.
    SDS_NOT_UTF8 = 6,
    /// The configuration is inconsistent; the detail names the field.
    SDS_INVALID_CONFIG = 7,
    /// The channel is not open.
    SDS_UNKNOWN_CHANNEL = 8,
    /// The channel exists already, open or closed, with other options.
    SDS_CHANNEL_OPTIONS_DIFFER = 9,
    /// No more channels can be opened.
    SDS_TOO_MANY_CHANNELS = 10,
    /// The bytes are no SDS message of either profile: traffic of another kind.
    SDS_NOT_SDS = 11,
    /// The bytes are a broken SDS message.
    SDS_MALFORMED = 12,
    /// A message, a field of it, or a list in it is over a limit.
    SDS_TOO_LARGE = 13,
    /// A message or channel id is empty or too long.
    SDS_INVALID_ID = 14,
    /// The message id was used before, for other content.
    SDS_ID_REUSED = 15,
    /// The message was sent before, and its bytes are no longer held.
    SDS_BYTES_GONE = 16,
    /// The message id is not derived from its message, in a channel of derived ids.
    SDS_ID_MISMATCH = 17,
    /// A message to send has no content.
    SDS_EMPTY_CONTENT = 18,
    /// The libsds profile has no ephemeral messages.
    SDS_EPHEMERAL_UNSUPPORTED = 19,
    /// The message is not one of ours, or no longer held.
    SDS_UNKNOWN_MESSAGE = 20,
    /// Too many of our messages, or too many bytes of them, await an acknowledgement.
    SDS_TOO_MANY_UNACKNOWLEDGED = 21,
    /// Too many outputs wait: call `sds_drain`, then try again.
    SDS_OUTPUTS_FULL = 22,
    /// Memory or randomness could not be had from the system.
    SDS_NO_RESOURCES = 23,
    /// The caller's memory is too small for the next record; the size needed is told.
    SDS_BUFFER_TOO_SMALL = 24,
    /// No more records or entries.
    SDS_END = 25,
    /// A structure's size is not one that this library knows.
    SDS_INVALID_SIZE = 26,
    /// The store failed; the detail tells how. What the call changed stays in memory, and is written by a later call.
    SDS_STORE_FAILED = 27,
    /// The store is damaged, written by a later version, or of another participant; the detail tells. It stays as it is.
    SDS_STORE_UNUSABLE = 28,
    /// Too much waits to be stored: the host does not confirm it, or the store fails.
    SDS_UNCONFIRMED = 29,
    /// The manager keeps its state in another way than the call is for.
    SDS_WRONG_STORE = 30,
    /// This library was built without what the call needs; the detail tells which part.
    SDS_NOT_BUILT_IN = 31,
}

use sds_status_t::*;

impl sds_status_t {
    const ALL: [(sds_status_t, &'static CStr); 32] = [
        (SDS_OK, c"success"),
        (SDS_INVALID_ARGUMENT, c"invalid argument"),
        (SDS_INVALID_HANDLE, c"invalid manager handle"),
        (SDS_CLOSED, c"manager is closed"),
        (SDS_POISONED, c"manager is poisoned by an earlier panic"),
        (SDS_PANIC, c"internal panic"),
        (SDS_NOT_UTF8, c"text is not UTF-8"),
        (SDS_INVALID_CONFIG, c"invalid configuration"),
        (SDS_UNKNOWN_CHANNEL, c"channel is not open"),
        (SDS_CHANNEL_OPTIONS_DIFFER, c"channel exists with other options"),
        (SDS_TOO_MANY_CHANNELS, c"too many channels"),
        (SDS_NOT_SDS, c"not an SDS message"),
        (SDS_MALFORMED, c"malformed SDS message"),
        (SDS_TOO_LARGE, c"over a size limit"),
        (SDS_INVALID_ID, c"id is empty or too long"),
        (SDS_ID_REUSED, c"message id was used for other content"),
        (SDS_BYTES_GONE, c"message was sent before and its bytes are no longer held"),
        (SDS_ID_MISMATCH, c"message id is not derived from the message"),
        (SDS_EMPTY_CONTENT, c"content is empty"),
        (SDS_EPHEMERAL_UNSUPPORTED, c"the libsds profile has no ephemeral messages"),
        (SDS_UNKNOWN_MESSAGE, c"message is not one of ours, or no longer held"),
        (SDS_TOO_MANY_UNACKNOWLEDGED, c"too many unacknowledged messages"),
        (SDS_OUTPUTS_FULL, c"too many undrained outputs"),
        (SDS_NO_RESOURCES, c"no memory or randomness from the system"),
        (SDS_BUFFER_TOO_SMALL, c"buffer is too small"),
        (SDS_END, c"no more records"),
        (SDS_INVALID_SIZE, c"unknown structure size"),
        (SDS_STORE_FAILED, c"the store failed"),
        (SDS_STORE_UNUSABLE, c"the store cannot be used"),
        (SDS_UNCONFIRMED, c"too much waits to be stored"),
        (SDS_WRONG_STORE, c"the manager keeps its state in another way"),
        (SDS_NOT_BUILT_IN, c"not built into this library"),
    ];

    /// The text of a code; `None` for a number that is no code.
    pub(super) fn text(code: i32) -> Option<&'static CStr> {
        Self::ALL.iter().find(|(status, _)| *status as i32 == code).map(|(_, text)| *text)
    }
}

impl From<&Error> for sds_status_t {
    fn from(error: &Error) -> Self {
        match error {
            Error::Decode(error) => error.into(),
            Error::Config(_) => SDS_INVALID_CONFIG,
            Error::UnknownChannel(_) => SDS_UNKNOWN_CHANNEL,
            Error::ChannelOptionsDiffer(_) => SDS_CHANNEL_OPTIONS_DIFFER,
            Error::TooManyChannels(_) => SDS_TOO_MANY_CHANNELS,
            Error::EmptyId(_) | Error::IdTooLong { .. } => SDS_INVALID_ID,
            Error::EmptyContent => SDS_EMPTY_CONTENT,
            Error::MessageTooLarge { .. } | Error::HintTooLong { .. } => SDS_TOO_LARGE,
            Error::IdReused(_) => SDS_ID_REUSED,
            Error::BytesGone(_) => SDS_BYTES_GONE,
            Error::IdMismatch(_) => SDS_ID_MISMATCH,
            Error::EphemeralUnsupported => SDS_EPHEMERAL_UNSUPPORTED,
            Error::UnknownMessage(_) => SDS_UNKNOWN_MESSAGE,
            Error::TooManyUnacknowledged(_) | Error::TooManyUnacknowledgedBytes(_) => SDS_TOO_MANY_UNACKNOWLEDGED,
            Error::TimeOutOfRange(_) => SDS_INVALID_ARGUMENT,
            Error::OutputsFull(_) | Error::OutputBytesFull(_) => SDS_OUTPUTS_FULL,
            Error::NoRandomness(_) => SDS_NO_RESOURCES,
            Error::Store(error) => error.into(),
            Error::Unconfirmed(_) => SDS_UNCONFIRMED,
            Error::WrongStore(_) => SDS_WRONG_STORE,
        }
    }
}

impl From<&StoreError> for sds_status_t {
    fn from(error: &StoreError) -> Self {
        match error {
            StoreError::Damaged(_) | StoreError::Newer { .. } | StoreError::OtherParticipant { .. } => {
                SDS_STORE_UNUSABLE
            }
            _ => SDS_STORE_FAILED,
        }
    }
}

impl From<&DecodeError> for sds_status_t {
    fn from(error: &DecodeError) -> Self {
        match error {
            DecodeError::NotSds(_) => SDS_NOT_SDS,
            DecodeError::Malformed { .. } => SDS_MALFORMED,
            DecodeError::TooLarge { .. } | DecodeError::TooMany { .. } => SDS_TOO_LARGE,
            DecodeError::NotUtf8(_) => SDS_NOT_UTF8,
            DecodeError::Empty(_) => SDS_INVALID_ID,
        }
    }
}

/// The text of a status, in English and without the details that `sds_error_t` carries.
///
/// Parameters: `status`: a status, or any other number.
///
/// Returns: a text that ends in NUL and lives as long as the library; "unknown status" for a number that is no status.
#[unsafe(no_mangle)]
pub extern "C" fn sds_status_text(status: i32) -> *const c_char {
    sds_status_t::text(status).unwrap_or(c"unknown status").as_ptr()
}
