//! Calls on a manager, as data, so that they can be recorded and made once more.

use std::rc::Rc;

use sds::output::{Disposition, Output, Wrapped};
use sds::{Error, Manager};

use crate::common::CHANNEL;
use crate::packet::Packet;

#[derive(Clone, Debug)]
pub enum Call {
    Wrap { id: Option<String>, content: Vec<u8> },
    Whisper { content: Vec<u8> },
    Unwrap(Rc<Packet>),
    Tick,
    Online(bool),
    Retry(String),
    Cancel(String),
    Mark(String),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    Wrapped(Wrapped),
    Received(Received),
    Done,
}

/// What `unwrap_incoming` said, for keeps.
#[derive(Clone, Debug, PartialEq)]
pub struct Received {
    pub message_id: String,
    pub sender_id: String,
    pub lamport_ms: Option<u64>,
    pub content: Vec<u8>,
    pub disposition: Disposition,
    pub own: bool,
    pub unmet: Vec<String>,
}

/// A call that was made, and all that came of it.
#[derive(Clone, Debug)]
pub struct Made {
    pub now_ms: u64,
    pub call: Call,
    pub answer: Result<Answer, Error>,
    pub outputs: Vec<Output>,
}

impl Call {
    pub fn make(&self, manager: &Manager, now_ms: u64) -> Result<Answer, Error> {
        match self {
            Call::Wrap { id, content } => {
                manager.wrap_outgoing(CHANNEL, id.as_deref(), content, now_ms).map(Answer::Wrapped)
            }
            Call::Whisper { content } => manager.wrap_ephemeral(CHANNEL, None, content, now_ms).map(Answer::Wrapped),
            Call::Unwrap(packet) => {
                let it = manager.unwrap_incoming(&packet.bytes, now_ms)?;
                Ok(Answer::Received(Received {
                    message_id: it.message_id.to_owned(),
                    sender_id: it.sender_id.to_owned(),
                    lamport_ms: it.lamport_timestamp_ms,
                    content: it.content.to_vec(),
                    disposition: it.disposition,
                    own: it.own,
                    unmet: it.unmet.iter().map(|unmet| unmet.message_id.to_string()).collect(),
                }))
            }
            Call::Tick => manager.tick(now_ms).map(|()| Answer::Done),
            Call::Online(online) => manager.set_online(*online, now_ms).map(|()| Answer::Done),
            Call::Retry(id) => manager.retry(CHANNEL, id, now_ms).map(|()| Answer::Done),
            Call::Cancel(id) => manager.cancel(CHANNEL, id, now_ms).map(|()| Answer::Done),
            Call::Mark(id) => manager.mark_dependencies_met(CHANNEL, &[id], now_ms).map(|()| Answer::Done),
        }
    }
}
