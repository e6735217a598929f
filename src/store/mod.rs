//! Where durable state lies.
//!
//! A store keeps records under keys, per channel, and one of the manager itself. It knows nothing of the protocol. What
//! goes together is committed together, as one [`Batch`]: all of it or nothing.
//!
//! | store | for whom |
//! |---|---|
//! | [`Memory`] | tests, and hosts that keep the records in a form of their own |
//! | [`Sqlite`] | a database file of its own (cargo feature `sqlite`) |
//!
//! With neither, a host can take the batches itself, and commit them with its own rows:
//! [`Manager::open_external`](crate::Manager::open_external).

mod given;
mod ids;
mod memory;
#[cfg(feature = "sqlite")]
mod sqlite;

pub(crate) use given::Given;
pub use memory::Memory;
#[cfg(feature = "sqlite")]
pub use sqlite::{Sqlite, Synchronous};

use crate::error::StoreError;
use crate::idhash::IdHash;
use crate::record::{Change, Damaged, Key, StoredMessage, Value, Wanted};
use crate::types::ChannelId;

/// One thing to write.
#[derive(Clone, Debug, PartialEq)]
pub enum Write {
    /// The manager's own record.
    Manager(Vec<u8>),
    /// A record of a channel.
    Channel(ChannelId, Change),
    /// All of a channel is to be gone.
    Forget(ChannelId),
    /// All of everything is to be gone.
    Wipe,
}

impl Write {
    /// About how many bytes it takes.
    pub fn size(&self) -> usize {
        const OVERHEAD: usize = 64;
        let size = match self {
            Self::Manager(value) => value.len(),
            Self::Channel(_, change) => match &change.value {
                Some(Value::Bytes(value)) => value.len(),
                Some(Value::Message(message)) => message.bytes.len() + message.message_id.len(),
                None => 0,
            },
            Self::Forget(_) | Self::Wipe => 0,
        };
        OVERHEAD.saturating_add(size)
    }
}

/// Writes that are committed together, in this order.
pub type Batch = Vec<Write>;

/// A message of a stored log, with what is said of it later.
#[derive(Clone, Debug, PartialEq)]
pub struct LogItem {
    /// The message.
    pub message: StoredMessage,
    /// Its record of kind [`Side`](crate::record::Kind::Side), if there is one.
    pub side: Option<Vec<u8>>,
}

/// How much of a log is read at once.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// Messages.
    pub messages: usize,
    /// Bytes of these: the one with which they are reached is the last.
    pub bytes: usize,
}

impl Page {
    /// Whether so many messages with so many bytes are all that it may have.
    pub fn is_full(&self, messages: usize, bytes: usize) -> bool {
        messages >= self.messages || bytes >= self.bytes
    }
}

/// Where durable state lies. Called under a lock, from any thread.
pub trait Store: Send {
    /// The manager's record; `None` in an empty store.
    fn manager(&mut self) -> Result<Option<Vec<u8>>, StoreError>;
    /// Every channel with its record of kind [`Head`](crate::record::Kind::Head).
    fn heads(&mut self) -> Result<Vec<(ChannelId, Vec<u8>)>, StoreError>;
    /// A channel's record of kind [`Head`](crate::record::Kind::Head).
    fn head(&mut self, channel_id: &str) -> Result<Option<Vec<u8>>, StoreError>;
    /// A channel's records but for head and messages, those of a kind in the order of their ids.
    fn records(&mut self, channel_id: &str) -> Result<Vec<(Key, Vec<u8>)>, StoreError>;
    /// Messages of a channel's log, by number.
    fn messages(&mut self, channel_id: &str, wanted: &Wanted) -> Result<Vec<StoredMessage>, StoreError>;
    /// Whether a message was ever in a channel's log; of one that a host keeps, whether it is there still.
    fn was_received(&mut self, channel_id: &str, hash: IdHash) -> Result<bool, StoreError>;
    /// The next messages of a channel's log after a place in it, in the order of the log: timestamp, then id. So many at
    /// most, and none after those that have so many bytes together.
    fn page(&mut self, channel_id: &str, after: Option<(u64, &str)>, most: Page) -> Result<Vec<LogItem>, StoreError>;
    /// Commits a batch: all of it, or nothing and an error.
    fn commit(&mut self, batch: &[Write]) -> Result<(), StoreError>;
    /// A channel was read by a manager that does not write here, since its host keeps the records: of these only what
    /// [`Store::was_received`] tells is needed from now on.
    fn release(&mut self, _channel_id: &str) {}
    /// A host that keeps the records is given these to write.
    fn note(&mut self, _batch: &[Write]) {}
}

impl From<Damaged> for StoreError {
    fn from(damaged: Damaged) -> Self {
        Self::Damaged(damaged.0.to_owned())
    }
}
