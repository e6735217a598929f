//! What crosses into JavaScript, as the objects that `ts/shapes.ts` makes.

use sds::error::{DecodeError, StoreError};
use sds::inspect::Inspection;
use sds::manager::{LogEntry, Offer};
use sds::output::{Disposition, Event, MessageState, MessageStatus, Output, TransmitReason, Unwrapped, Wrapped};
use sds::record::{Change, Key, Value};
use sds::store::Write;
use sds::types::{Dependency, HistoryEntry};
use sds::{Error, inspect};
use wasm_bindgen::prelude::*;

// Where the generated module lies, that is beside it.
#[wasm_bindgen(raw_module = "../shapes.js")]
#[rustfmt::skip]
extern "C" {
    fn wrapped(message_id: &str, lamport_timestamp: Option<u64>, bytes: &[u8]) -> JsValue;
    #[allow(clippy::too_many_arguments, reason = "an object has as many fields as it has")]
    fn received(channel_id: &str, message_id: &str, sender_id: &str, lamport_timestamp: Option<u64>, profile: &str,
        content: &[u8], disposition: &str, own: bool, unmet: Vec<JsValue>) -> JsValue;
    fn entry(message_id: &str, retrieval_hint: Option<&[u8]>, sender_id: Option<&str>) -> JsValue;
    fn transmit(message_id: &str, reason: &str, bytes: &[u8]) -> JsValue;
    fn delivered(message_id: &str, sender_id: &str, lamport_timestamp: u64, content: &[u8], late: bool, own: bool) -> JsValue;
    fn named(kind: &str, entry: JsValue) -> JsValue;
    fn fact(kind: &str, message_id: &str, number: Option<f64>) -> JsValue;
    fn put(channel_id: &str, key: &[u8], value: &[u8], lamport_timestamp: Option<u64>, message_id: Option<&str>) -> JsValue;
    fn remove(channel_id: &str, key: &[u8]) -> JsValue;
    fn forget(channel_id: &str) -> JsValue;
    fn wipe() -> JsValue;
    fn offer(number: f64, writes: Vec<JsValue>) -> JsValue;
    #[wasm_bindgen(js_name = messageStatus)]
    fn status(state: &str, probability: f64, lamport_timestamp: u64, resends: u32, acknowledgers: Vec<JsValue>) -> JsValue;
    fn acknowledger(participant_id: &str, certain: bool) -> JsValue;
    fn own(message_id: &str, state: &str) -> JsValue;
    #[wasm_bindgen(js_name = logEntry)]
    #[allow(clippy::too_many_arguments, reason = "an object has as many fields as it has")]
    fn logged(message_id: &str, sender_id: &str, lamport_timestamp: u64, received_ms: f64, content: &[u8],
        retrieval_hint: Option<&[u8]>, sent: bool, own: bool, late: bool) -> JsValue;
    #[allow(clippy::too_many_arguments, reason = "an object has as many fields as it has")]
    fn inspected(profile: &str, channel_id: &str, message_id: &str, sender_id: &str, lamport_timestamp: Option<u64>,
        causal_history: Vec<JsValue>, repair_request: Vec<JsValue>, filter_bytes: u32, content: Option<&[u8]>) -> JsValue;
    #[wasm_bindgen(js_name = refused)]
    fn sds_error(code: &str, message: &str) -> JsValue;
    #[wasm_bindgen(js_name = counts)]
    fn named_counts(names: &str, counts: &[f64]) -> JsValue;
}

/// An object of counts. `names`: theirs, each with a blank behind it.
pub fn counts(names: &str, counts: &[f64]) -> JsValue {
    named_counts(names, counts)
}

/// An error to throw.
pub fn refused(code: &str, message: &str) -> JsValue {
    sds_error(code, message)
}

/// The error to throw for one of the engine's.
pub fn thrown(error: Error) -> JsValue {
    refused(code(&error), &error.to_string())
}

fn code(error: &Error) -> &'static str {
    match error {
        Error::Decode(error) => decode_code(error),
        Error::Config(_) => "INVALID_CONFIG",
        Error::UnknownChannel(_) => "UNKNOWN_CHANNEL",
        Error::ChannelOptionsDiffer(_) => "CHANNEL_OPTIONS_DIFFER",
        Error::TooManyChannels(_) => "TOO_MANY_CHANNELS",
        Error::EmptyId(_) | Error::IdTooLong { .. } => "INVALID_ID",
        Error::EmptyContent => "EMPTY_CONTENT",
        Error::MessageTooLarge { .. } | Error::HintTooLong { .. } => "TOO_LARGE",
        Error::IdReused(_) => "ID_REUSED",
        Error::BytesGone(_) => "BYTES_GONE",
        Error::IdMismatch(_) => "ID_MISMATCH",
        Error::EphemeralUnsupported => "EPHEMERAL_UNSUPPORTED",
        Error::UnknownMessage(_) => "UNKNOWN_MESSAGE",
        Error::TooManyUnacknowledged(_) | Error::TooManyUnacknowledgedBytes(_) => "TOO_MANY_UNACKNOWLEDGED",
        Error::TimeOutOfRange(_) => "INVALID_ARGUMENT",
        Error::OutputsFull(_) | Error::OutputBytesFull(_) => "OUTPUTS_FULL",
        Error::NoRandomness(_) => "NO_RESOURCES",
        Error::Store(StoreError::Damaged(_) | StoreError::Newer { .. } | StoreError::OtherParticipant { .. }) => {
            "STORE_UNUSABLE"
        }
        Error::Store(_) => "STORE_FAILED",
        Error::Unconfirmed(_) => "UNCONFIRMED",
        Error::WrongStore(_) => "WRONG_STORE",
        // The engine's list may grow.
        _ => "OTHER",
    }
}

fn decode_code(error: &DecodeError) -> &'static str {
    match error {
        DecodeError::NotSds(_) => "NOT_SDS",
        DecodeError::Malformed { .. } => "MALFORMED",
        DecodeError::TooLarge { .. } | DecodeError::TooMany { .. } => "TOO_LARGE",
        DecodeError::NotUtf8(_) => "NOT_UTF8",
        DecodeError::Empty(_) => "INVALID_ID",
    }
}

pub fn from_wrapped(it: &Wrapped) -> JsValue {
    wrapped(&it.message_id, it.lamport_timestamp_ms, &it.bytes)
}

pub fn from_unwrapped(it: &Unwrapped<'_>) -> JsValue {
    received(
        it.channel_id,
        it.message_id,
        it.sender_id,
        it.lamport_timestamp_ms,
        it.profile.name(),
        it.content,
        disposition(it.disposition),
        it.own,
        it.unmet.iter().map(from_dependency).collect(),
    )
}

fn disposition(it: Disposition) -> &'static str {
    match it {
        Disposition::Delivered => "delivered",
        Disposition::Waiting => "waiting",
        Disposition::Duplicate => "duplicate",
        Disposition::Own => "own",
        Disposition::Sync => "sync",
        Disposition::Ephemeral => "ephemeral",
        Disposition::BeforeUs => "before-us",
        Disposition::Late => "late",
    }
}

pub fn from_dependency(it: &Dependency) -> JsValue {
    entry(&it.message_id, it.retrieval_hint.as_deref(), it.sender_id.as_deref())
}

fn from_history(it: &HistoryEntry<'_>) -> JsValue {
    entry(it.message_id, it.retrieval_hint, it.sender_id)
}

pub fn from_output(it: &Output) -> JsValue {
    let event = match it {
        Output::Transmit(it) => return transmit(&it.message_id, reason(it.reason), &it.bytes),
        Output::Event(event) => event,
    };
    match event {
        Event::Delivered(it) => {
            delivered(&it.message_id, &it.sender_id, it.lamport_timestamp_ms, &it.content, it.late, it.own)
        }
        Event::Missing(it) => named("missing", from_dependency(it)),
        Event::Lost(it) => named("lost", from_dependency(it)),
        Event::BeforeUs(it) => named("before-us", from_dependency(it)),
        Event::PossiblyAcknowledged { message_id, probability } => {
            fact("possibly-acknowledged", message_id, Some(*probability))
        }
        Event::Acknowledged { message_id } => fact("acknowledged", message_id, None),
        Event::Failed { message_id } => fact("failed", message_id, None),
        Event::Unconfirmed { message_id, probability } => fact("unconfirmed", message_id, Some(*probability)),
        Event::RepairRequested { message_id, asks } => fact("repair-requested", message_id, Some((*asks).into())),
        Event::RepairAnswered { message_id } => fact("repair-answered", message_id, None),
        Event::Repaired { message_id } => fact("repaired", message_id, None),
    }
}

fn reason(it: TransmitReason) -> &'static str {
    match it {
        TransmitReason::Publish => "publish",
        TransmitReason::Resend => "resend",
        TransmitReason::Sync => "sync",
        TransmitReason::RepairRequest => "repair-request",
        TransmitReason::RepairAnswer => "repair-answer",
    }
}

pub fn from_offer(it: &Offer) -> JsValue {
    offer(it.number as f64, it.writes.iter().map(from_write).collect())
}

fn from_write(it: &Write) -> JsValue {
    let (channel_id, Change { key, value }) = match it {
        Write::Manager(value) => return put("", &Key::HEAD.to_bytes(), value, None, None),
        Write::Forget(channel_id) => return forget(channel_id),
        Write::Wipe => return wipe(),
        Write::Channel(channel_id, change) => (channel_id, change),
    };
    let key = key.to_bytes();
    match value {
        None => remove(channel_id, &key),
        Some(Value::Bytes(value)) => put(channel_id, &key, value, None, None),
        Some(Value::Message(message)) => {
            put(channel_id, &key, &message.encode(), Some(message.lamport_ms), Some(&message.message_id))
        }
    }
}

pub fn state(it: MessageState) -> &'static str {
    match it {
        MessageState::Unacknowledged => "unacknowledged",
        MessageState::PossiblyAcknowledged => "possibly-acknowledged",
        MessageState::Acknowledged => "acknowledged",
        MessageState::Failed => "failed",
        MessageState::Unconfirmed => "unconfirmed",
        MessageState::Cancelled => "cancelled",
    }
}

pub fn from_own(message_id: &str, it: MessageState) -> JsValue {
    own(message_id, state(it))
}

pub fn from_status(it: &MessageStatus) -> JsValue {
    let acknowledgers = it.acknowledgers.iter().map(|it| acknowledger(&it.participant_id, it.certain)).collect();
    status(state(it.state), it.probability, it.lamport_timestamp_ms, it.resends, acknowledgers)
}

pub fn from_log_entry(it: &LogEntry) -> JsValue {
    logged(
        &it.message_id,
        &it.sender_id,
        it.lamport_timestamp_ms,
        it.received_ms as f64,
        &it.content,
        it.retrieval_hint.as_deref(),
        it.sent,
        it.own,
        it.late,
    )
}

/// Decodes bytes without touching any state.
pub fn inspect(bytes: &[u8]) -> Result<JsValue, JsValue> {
    let Inspection { profile, message, .. } = inspect::inspect(bytes).map_err(|error| thrown(Error::Decode(error)))?;
    Ok(inspected(
        profile.name(),
        message.channel_id,
        message.message_id,
        message.sender_id,
        message.lamport_timestamp_ms,
        message.causal_history.iter().map(from_history).collect(),
        message.repair_request.iter().map(from_history).collect(),
        message.bloom_filter.map_or(0, <[u8]>::len) as u32,
        message.content,
    ))
}
