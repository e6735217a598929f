//! Which result, output or event becomes which record.

use super::record::*;
use crate::manager::{LogEntry, Manager};
use crate::output::{
    Disposition, Event, MessageState, MessageStatus, Output, Transmit, TransmitReason, Unwrapped, Wrapped,
};
use crate::types::{ChannelId, Dependency, HistoryEntry, Profile};

fn entry(dependency: &Dependency) -> HistoryEntry<'_> {
    HistoryEntry {
        message_id: &dependency.message_id,
        retrieval_hint: dependency.retrieval_hint.as_deref(),
        sender_id: dependency.sender_id.as_deref(),
    }
}

/// The record of a list of dependencies.
pub(super) fn history<'a>(channel_id: &'a str, dependencies: &'a [Dependency]) -> Record<'a> {
    let entries = dependencies.iter().map(entry).collect();
    Record { kind: SDS_RECORD_HISTORY, channel_id, entries, ..Record::default() }
}

/// The record of a wrapped message.
pub(super) fn wrapped<'a>(channel_id: &'a str, wrapped: &'a Wrapped) -> Record<'a> {
    Record {
        kind: SDS_RECORD_WRAPPED,
        // A message always has bytes, unless they may not go out yet.
        flags: if wrapped.bytes.is_empty() { SDS_FLAG_HELD } else { 0 },
        channel_id,
        message_id: &wrapped.message_id,
        lamport_timestamp_ms: wrapped.lamport_timestamp_ms,
        data: &wrapped.bytes,
        ..Record::default()
    }
}

/// The record of an unwrapped message.
pub(super) fn unwrapped<'a>(unwrapped: &'a Unwrapped<'a>) -> Record<'a> {
    let own = if unwrapped.own { SDS_FLAG_OWN } else { 0 };
    let late = if unwrapped.disposition == Disposition::Late { SDS_FLAG_LATE } else { 0 };
    let libsds = if unwrapped.profile == Profile::Libsds { SDS_FLAG_LIBSDS } else { 0 };
    Record {
        kind: SDS_RECORD_UNWRAPPED,
        code: match unwrapped.disposition {
            Disposition::Delivered => SDS_DISPOSITION_DELIVERED,
            Disposition::Waiting => SDS_DISPOSITION_WAITING,
            Disposition::Duplicate => SDS_DISPOSITION_DUPLICATE,
            Disposition::Own => SDS_DISPOSITION_OWN,
            Disposition::Sync => SDS_DISPOSITION_SYNC,
            Disposition::Ephemeral => SDS_DISPOSITION_EPHEMERAL,
            Disposition::BeforeUs => SDS_DISPOSITION_BEFORE_US,
            Disposition::Late => SDS_DISPOSITION_LATE,
        },
        flags: own | late | libsds,
        lamport_timestamp_ms: unwrapped.lamport_timestamp_ms,
        channel_id: unwrapped.channel_id,
        message_id: unwrapped.message_id,
        sender_id: unwrapped.sender_id,
        data: unwrapped.content,
        entries: unwrapped.unmet.iter().map(entry).collect(),
        ..Record::default()
    }
}

/// The record of a message of a stored log.
pub(super) fn logged<'a>(channel_id: &'a str, logged: &'a LogEntry) -> Record<'a> {
    let flag = |set: bool, flag: u32| if set { flag } else { 0 };
    let hint = logged.retrieval_hint.as_deref().map(|hint| HistoryEntry {
        message_id: &logged.message_id,
        retrieval_hint: Some(hint),
        sender_id: None,
    });
    Record {
        kind: SDS_RECORD_LOGGED,
        flags: flag(logged.sent, SDS_FLAG_SENT) | flag(logged.own, SDS_FLAG_OWN) | flag(logged.late, SDS_FLAG_LATE),
        lamport_timestamp_ms: Some(logged.lamport_timestamp_ms),
        // Times end with the year 9999, which a double holds exactly.
        number: logged.received_ms as f64,
        channel_id,
        message_id: &logged.message_id,
        sender_id: &logged.sender_id,
        data: &logged.content,
        entries: hint.into_iter().collect(),
        ..Record::default()
    }
}

/// The record of the status of one of our messages.
pub(super) fn message_status<'a>(channel_id: &'a str, message_id: &'a str, status: &'a MessageStatus) -> Record<'a> {
    let entries = status.acknowledgers.iter().map(|who| HistoryEntry {
        message_id: if who.certain { "certain" } else { "possible" },
        retrieval_hint: None,
        sender_id: Some(&who.participant_id),
    });
    Record {
        kind: SDS_RECORD_MESSAGE_STATUS,
        code: match status.state {
            MessageState::Unacknowledged => SDS_STATE_UNACKNOWLEDGED,
            MessageState::PossiblyAcknowledged => SDS_STATE_POSSIBLY_ACKNOWLEDGED,
            MessageState::Acknowledged => SDS_STATE_ACKNOWLEDGED,
            MessageState::Failed => SDS_STATE_FAILED,
            MessageState::Unconfirmed => SDS_STATE_UNCONFIRMED,
            MessageState::Cancelled => SDS_STATE_CANCELLED,
        },
        flags: status.resends << SDS_RESENDS_SHIFT,
        lamport_timestamp_ms: Some(status.lamport_timestamp_ms),
        number: status.probability,
        channel_id,
        message_id,
        entries: entries.collect(),
        ..Record::default()
    }
}

fn output<'a>(channel_id: &'a ChannelId, output: &'a Output) -> Record<'a> {
    match output {
        Output::Transmit(transmit) => self::transmit(channel_id, transmit),
        Output::Event(event) => self::event(channel_id, event),
    }
}

fn transmit<'a>(channel_id: &'a ChannelId, transmit: &'a Transmit) -> Record<'a> {
    Record {
        kind: SDS_RECORD_TRANSMIT,
        code: match transmit.reason {
            TransmitReason::Publish => SDS_REASON_PUBLISH,
            TransmitReason::Resend => SDS_REASON_RESEND,
            TransmitReason::Sync => SDS_REASON_SYNC,
            TransmitReason::RepairRequest => SDS_REASON_REPAIR_REQUEST,
            TransmitReason::RepairAnswer => SDS_REASON_REPAIR_ANSWER,
        },
        channel_id,
        message_id: &transmit.message_id,
        data: &transmit.bytes,
        ..Record::default()
    }
}

fn event<'a>(channel_id: &'a ChannelId, event: &'a Event) -> Record<'a> {
    let plain =
        |kind, message_id: &'a str, number| Record { kind, channel_id, message_id, number, ..Record::default() };
    let named = |kind, dependency: &'a Dependency| {
        let entries = vec![entry(dependency)];
        Record { kind, channel_id, message_id: &dependency.message_id, entries, ..Record::default() }
    };
    match event {
        Event::Delivered(delivered) => {
            let own = if delivered.own { SDS_FLAG_OWN } else { 0 };
            let late = if delivered.late { SDS_FLAG_LATE } else { 0 };
            Record {
                flags: own | late,
                lamport_timestamp_ms: Some(delivered.lamport_timestamp_ms),
                sender_id: &delivered.sender_id,
                data: &delivered.content,
                ..plain(SDS_RECORD_DELIVERED, &delivered.message_id, 0.0)
            }
        }
        Event::Missing(dependency) => named(SDS_RECORD_MISSING, dependency),
        Event::Lost(dependency) => named(SDS_RECORD_LOST, dependency),
        Event::BeforeUs(dependency) => named(SDS_RECORD_BEFORE_US, dependency),
        Event::PossiblyAcknowledged { message_id, probability } => {
            plain(SDS_RECORD_POSSIBLY_ACKNOWLEDGED, message_id, *probability)
        }
        Event::Acknowledged { message_id } => plain(SDS_RECORD_ACKNOWLEDGED, message_id, 1.0),
        Event::Failed { message_id } => plain(SDS_RECORD_FAILED, message_id, 0.0),
        Event::Unconfirmed { message_id, probability } => plain(SDS_RECORD_UNCONFIRMED, message_id, *probability),
        Event::RepairRequested { message_id, asks } => plain(SDS_RECORD_REPAIR_REQUESTED, message_id, f64::from(*asks)),
        Event::RepairAnswered { message_id } => plain(SDS_RECORD_REPAIR_ANSWERED, message_id, 0.0),
        Event::Repaired { message_id } => plain(SDS_RECORD_REPAIRED, message_id, 0.0),
    }
}

/// Takes as many outputs as fit into `memory`; see `sds_drain`. Returns the bytes written, and the size of the record that
/// did not fit, 0 if there is none.
pub(super) fn drain(manager: &Manager, memory: &mut [u8]) -> (usize, usize) {
    let (mut written, mut next) = (0, 0);
    manager.drain_while(|channel_id, item| {
        let record = output(channel_id, item);
        let end = written + record.len();
        if end > memory.len() {
            next = record.len();
            return false;
        }
        record.write(&mut memory[written..end]);
        written = end;
        true
    });
    (written, next)
}
