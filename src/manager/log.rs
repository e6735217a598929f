//! The log for the host: read in pages, and told what was here before us.

use bytes::Bytes;

use super::Manager;
use super::checks::{check_hint, check_id};
use crate::channel::{self, Channel};
use crate::error::{Error, StoreError};
use crate::output::Hint;
use crate::record::StoredMessage;
use crate::store::{LogItem, Page};
use crate::types::{MessageId, ParticipantId, TimeMs};

pub use crate::channel::Known;

/// Messages of a page, at most.
const MOST_A_PAGE: usize = 10_000;

/// Bytes of these, about: one message more than this at most.
const MOST_PAGE_BYTES: usize = 16 << 20;

/// A message of a stored log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// Its id.
    pub message_id: MessageId,
    /// Who sent it; may be empty.
    pub sender_id: ParticipantId,
    /// Its Lamport timestamp in milliseconds.
    pub lamport_timestamp_ms: u64,
    /// When it was sent or received here, about, in the host's milliseconds; 0 if the host said that it was here.
    pub received_ms: TimeMs,
    /// Its content; empty if the host said that it was here.
    pub content: Bytes,
    /// Its retrieval hint, if it is known.
    pub retrieval_hint: Option<Hint>,
    /// We sent it.
    pub sent: bool,
    /// Its sender id is ours, though we did not send it from this state.
    pub own: bool,
    /// It had been given up as lost before it came.
    pub late: bool,
}

/// Some messages of a log, in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogPage {
    /// The messages, ascending by timestamp, then by id.
    pub entries: Vec<LogEntry>,
    /// Whether more may follow: ask again, after the last of these.
    pub more: bool,
}

impl Manager {
    /// The next messages of a channel's stored log, open or closed, after one of them, or from the first. Needs a store.
    ///
    /// `limit`: how many at most; more than 10,000 is taken for that. There are fewer where messages are large: a page ends
    /// with the one that brings it to 16 MiB.
    pub fn read_log(&self, channel_id: &str, after: Option<(u64, &str)>, limit: usize) -> Result<LogPage, Error> {
        check_id("channel id", channel_id, &self.config)?;
        if !self.channels.read().contains_key(channel_id) {
            return Err(super::unknown_channel(channel_id));
        }
        let most = Page { messages: limit.clamp(1, MOST_A_PAGE), bytes: MOST_PAGE_BYTES };
        let items = self.durable.page(channel_id, after, most)?;
        let more = most.is_full(items.len(), items.iter().map(|item| item.message.bytes.len()).sum());
        let entries = items.into_iter().map(|item| self.log_entry(item)).collect::<Result<_, _>>()?;
        Ok(LogPage { entries, more })
    }

    /// A message of a log, as [`open_external`](Self::open_external)'s host has it: the number and the value of a record of
    /// kind [`Message`](crate::record::Kind::Message), and the value of the one of kind `Side` with that number, if there
    /// is one.
    pub fn read_log_record(&self, number: u64, value: &[u8], side: Option<&[u8]>) -> Result<LogEntry, Error> {
        let message = StoredMessage::decode(number, value).map_err(StoreError::from)?;
        self.log_entry(LogItem { message, side: side.map(<[u8]>::to_vec) })
    }

    fn log_entry(&self, item: LogItem) -> Result<LogEntry, Error> {
        let LogItem { message, side } = item;
        let content = channel::stored_content(&message).map_err(StoreError::from)?;
        let retrieval_hint = side.map(|side| channel::stored_hint(&side)).transpose().map_err(StoreError::from)?;
        Ok(LogEntry {
            sent: message.is(StoredMessage::SENT),
            own: message.is(StoredMessage::OWN),
            late: message.is(StoredMessage::LATE),
            received_ms: message.host_ms(),
            message_id: message.message_id,
            sender_id: message.sender_id,
            lamport_timestamp_ms: message.lamport_ms,
            content,
            retrieval_hint: retrieval_hint.flatten(),
        })
    }

    /// Tells a channel what was here before it: the messages of a history that the host has. They enter the log without
    /// content, are named in causal histories, and are not missing. Those that are known already stay as they are. Returns
    /// how many were new.
    ///
    /// For the first start after switching over: it spares the members a storm of missing messages. The last few hundred
    /// are enough.
    pub fn seed_history(&self, channel_id: &str, known: &[Known<'_>], now_ms: TimeMs) -> Result<usize, Error> {
        let now_ms = self.observe(now_ms)?;
        for message in known {
            check_id("message id", message.message_id, &self.config)?;
            if !message.sender_id.is_empty() {
                check_id("sender id", message.sender_id, &self.config)?;
            }
            check_hint(message.retrieval_hint.unwrap_or_default(), &self.config)?;
        }
        self.check_room()?;
        self.with_channel(channel_id, |channel: &mut Channel, turn| {
            self.recall(channel, |channel| known.iter().map(|it| channel.hash(it.message_id)).collect())?;
            turn.commit = true;
            Ok(channel.seed(known, now_ms))
        })
    }
}
