//! The chat that is measured: members of one channel, their ids as long as those of the Status app.

use bytes::Bytes;
use sds::output::{ChannelOptions, Disposition};
use sds::types::Profile;
use sds::{Config, Manager};

/// A channel id of 16 characters.
pub const CHANNEL: &str = "channel-00000001";
/// A member's id of 16 characters.
pub const ALICE: &str = "participant-0001";
/// Another one's.
pub const BOB: &str = "participant-0002";
/// A payload of 200 bytes.
pub const CONTENT: [u8; 200] = [0x61; 200];
/// Some day in 2026.
pub const START_MS: u64 = 1_780_000_000_000;

/// The default configuration of a member. The seed is fixed, so that runs repeat themselves.
pub fn config(participant_id: &str) -> Config {
    let seed = participant_id.bytes().fold(0, |seed: u64, byte| seed.rotate_left(8) ^ u64::from(byte));
    Config { participant_id: participant_id.to_owned(), seed: Some(seed), ..Config::default() }
}

/// A message id of 66 characters: `0x` and 64 hexadecimal digits, as of a hash. Different for each pair of arguments.
pub fn message_id(sender: &str, number: u64) -> String {
    let mut rng = fastrand::Rng::with_seed(number ^ u64::from_le_bytes(*sender.as_bytes().last_chunk().expect("16")));
    format!("0x{:032x}{:032x}", rng.u128(..), rng.u128(..))
}

/// A member in the channel, with a time of its own.
pub struct Member {
    name: &'static str,
    pub manager: Manager,
    pub now_ms: u64,
    /// By how much time advances with every message.
    step_ms: u64,
    messages: u64,
}

impl Member {
    /// A member that has just opened the channel.
    pub fn new(name: &'static str, profile: Profile, step_ms: u64, config: Config) -> Self {
        let manager = Manager::open(config).expect("a valid configuration");
        let options = ChannelOptions { profile: Some(profile), ..ChannelOptions::default() };
        manager.open_channel(CHANNEL, options, START_MS).expect("a new channel");
        Self { name, manager, now_ms: START_MS, step_ms, messages: 0 }
    }

    /// Ids for its next messages.
    pub fn next_ids(&mut self, count: usize) -> Vec<String> {
        let first = self.messages;
        self.messages += count as u64;
        (first..self.messages).map(|number| message_id(self.name, number)).collect()
    }

    /// Time goes on by one message.
    pub fn advance(&mut self) {
        self.now_ms += self.step_ms;
    }

    /// Sends a message: this is what the figures about wrapping measure.
    pub fn wrap(&mut self, message_id: &str) -> Bytes {
        self.advance();
        let wrapped = self.manager.wrap_outgoing(CHANNEL, Some(message_id), &CONTENT, self.now_ms);
        wrapped.expect("a message that can be sent").bytes
    }

    /// Receives a message: this is what the figures about unwrapping measure.
    pub fn unwrap(&mut self, bytes: &[u8]) -> Disposition {
        self.advance();
        self.manager.unwrap_incoming(bytes, self.now_ms).expect("a message that can be received").disposition
    }

    /// Its messages are unacknowledged no longer, and what came up for the host is drained.
    pub fn settle(&self, message_ids: &[String]) {
        for message_id in message_ids {
            self.manager.cancel(CHANNEL, message_id, self.now_ms).expect("a message of ours");
        }
        self.manager.drain();
    }

    /// Sends that many messages, none of which stays unacknowledged, and returns them.
    pub fn send(&mut self, count: usize) -> Vec<Bytes> {
        let mut sent = Vec::with_capacity(count);
        for ids in self.next_ids(count).chunks(16) {
            sent.extend(ids.iter().map(|id| self.wrap(id)));
            self.settle(ids);
        }
        sent
    }

    /// Sends that many messages, which stay unacknowledged, and returns them.
    pub fn send_unacknowledged(&mut self, count: usize) -> Vec<Bytes> {
        self.next_ids(count).iter().map(|id| self.wrap(id)).collect()
    }

    /// Receives messages whose dependencies are here.
    pub fn receive(&mut self, messages: &[Bytes]) {
        for bytes in messages {
            assert_eq!(self.unwrap(bytes), Disposition::Delivered);
        }
        self.manager.drain();
    }

    /// Receives `count` messages that `sender` sends for it, a few at a time.
    pub fn receive_from(&mut self, sender: &mut Member, count: usize) {
        for done in (0..count).step_by(16) {
            self.receive(&sender.send(16.min(count - done)));
        }
    }
}
