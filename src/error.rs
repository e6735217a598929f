//! What a caller did wrong, and why bytes were refused.
//!
//! Errors concern the call that returned them: it changed nothing. What the protocol makes of a message (it waits, it
//! was lost, it was acknowledged) is never an error but a disposition or an event.

use std::fmt::{self, Write};

use thiserror::Error;

/// Why bytes from the network are not taken as an SDS message.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum DecodeError {
    /// Neither profile: the host may treat the bytes as traffic of another kind.
    #[error("not an SDS message: {0}")]
    NotSds(&'static str),
    /// An SDS message by its looks, but broken.
    #[error("malformed {profile} message: {what}")]
    Malformed {
        /// Which profile it was read as.
        profile: &'static str,
        /// What is broken.
        what: &'static str,
    },
    /// Larger than a limit of the configuration.
    #[error("{field} of {size} bytes is over the limit of {limit}")]
    TooLarge {
        /// What is too large.
        field: &'static str,
        /// Its size in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// More entries than a limit of the configuration.
    #[error("more than {limit} entries in {field}")]
    TooMany {
        /// Which list.
        field: &'static str,
        /// The limit, in entries.
        limit: usize,
    },
    /// A text field is not UTF-8.
    #[error("{0} is not UTF-8")]
    NotUtf8(&'static str),
    /// An identifier that must not be empty is.
    #[error("{0} is empty")]
    Empty(&'static str),
}

/// Why a received filter is not used. The message that carried it is processed as if it had none.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum FilterError {
    /// The bytes do not parse.
    #[error("malformed filter")]
    Malformed,
    /// More bytes than the limit.
    #[error("filter of {0} bytes is over the limit")]
    TooLarge(usize),
    /// The number of hashes is outside 1..=64.
    #[error("filter with {0} hashes")]
    HashCount(u64),
    /// The number of bits is zero or more than its bytes hold.
    #[error("filter with {bits} bits in {bytes} bytes")]
    BitCount {
        /// Bits claimed.
        bits: u64,
        /// Bytes present.
        bytes: usize,
    },
}

/// A configuration that contradicts itself or a limit.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("config: {field}: {problem}")]
pub struct ConfigError {
    /// The field to change, by its name in [`Config`](crate::Config).
    pub field: &'static str,
    /// What is wrong with its value.
    pub problem: String,
}

/// Why durable state cannot be read or written.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreError {
    /// No space is left.
    #[error("no space is left: {0}")]
    Full(String),
    /// Another process or connection has it.
    #[error("locked by another: {0}")]
    Locked(String),
    /// It can be read and not written.
    #[error("cannot be written: {0}")]
    ReadOnly(String),
    /// What is there is not what was written.
    #[error("damaged: {0}")]
    Damaged(String),
    /// A later version of this library wrote it.
    #[error("written by a later version: schema {found}, and {known} is known here")]
    Newer {
        /// The schema found.
        found: u32,
        /// The latest known here.
        known: u32,
    },
    /// It is the state of another participant.
    #[error("the state of participant {}, not of {}", Quoted(found), Quoted(expected))]
    OtherParticipant {
        /// Whose it is.
        found: String,
        /// Who was to be opened.
        expected: String,
    },
    /// Reading or writing failed.
    #[error("{0}")]
    Io(String),
}

/// Why a call was refused. Nothing changed.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are no acceptable SDS message.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The configuration is inconsistent.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The channel is not open here.
    #[error("channel {} is not open", Quoted(.0))]
    UnknownChannel(String),
    /// The channel exists already, open or closed, with other options.
    #[error("channel {} exists already, with other options", Quoted(.0))]
    ChannelOptionsDiffer(String),
    /// No more channels can be opened.
    #[error("limit of {0} channels reached")]
    TooManyChannels(usize),
    /// An identifier given by the host is empty.
    #[error("{0} is empty")]
    EmptyId(&'static str),
    /// An identifier given by the host is too long.
    #[error("{field} of {size} bytes is over the limit of {limit}")]
    IdTooLong {
        /// Which one.
        field: &'static str,
        /// Its size in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// A message to send has no content.
    #[error("content is empty")]
    EmptyContent,
    /// A message to send would be larger than peers accept.
    #[error("message of {size} bytes is over the limit of {limit}")]
    MessageTooLarge {
        /// Its encoded size in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// A retrieval hint is too long.
    #[error("retrieval hint of {size} bytes is over the limit of {limit}")]
    HintTooLong {
        /// Its size in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// The id was used before, for other content.
    #[error("message id {} was used before, for other content", Quoted(.0))]
    IdReused(String),
    /// The id was sent before, and its bytes are no longer held: it cannot be sent again.
    #[error("message id {} was sent before, and its bytes are no longer held", Quoted(.0))]
    BytesGone(String),
    /// In a channel of derived ids, an id is not the hash of its message.
    #[error("message id {} is not derived from its message", Quoted(.0))]
    IdMismatch(String),
    /// The libsds profile knows no ephemeral messages.
    #[error("the libsds profile has no ephemeral messages")]
    EphemeralUnsupported,
    /// The message is not one of ours, or is no longer held.
    #[error("message {} is not one of ours, or no longer held", Quoted(.0))]
    UnknownMessage(String),
    /// Too many of our own messages await an acknowledgement.
    #[error("limit of {0} unacknowledged messages reached")]
    TooManyUnacknowledged(usize),
    /// Our messages that await an acknowledgement hold too many bytes.
    #[error("limit of {0} bytes of unacknowledged messages reached")]
    TooManyUnacknowledgedBytes(usize),
    /// A time that no clock shows, such as a deadline that means "none".
    #[error("a time of {0} ms lies beyond the year 9999")]
    TimeOutOfRange(u64),
    /// The host has not drained the outputs.
    #[error("limit of {0} undrained outputs reached: drain, then try again")]
    OutputsFull(usize),
    /// The store failed. What the call changed stays in memory, and is written with the next call; until then nothing of it
    /// is sent or delivered.
    #[error("store: {0}")]
    Store(#[from] StoreError),
    /// Too much waits to be stored: the host does not confirm it, or the store fails.
    #[error("limit of {0} bytes that wait to be stored reached")]
    Unconfirmed(usize),
    /// The call is for another way to keep state.
    #[error("no manager of this kind does that: {0}")]
    WrongStore(&'static str),
    /// The host has not drained the outputs, and they hold too many bytes.
    #[error("limit of {0} bytes of undrained outputs reached: drain, then try again")]
    OutputBytesFull(usize),
    /// The operating system gave no randomness for the seed.
    #[error("no randomness from the operating system: {0}")]
    NoRandomness(String),
}

/// A text of anybody's within quotation marks. What would not show, or would make the text around it show otherwise, is
/// escaped.
pub(crate) struct Quoted<'a>(pub &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for letter in self.0.chars() {
            match letter {
                '"' | '\\' => {
                    f.write_char('\\')?;
                    f.write_char(letter)?;
                }
                _ if letter.is_control() || is_unseen(letter) => write!(f, "{}", letter.escape_unicode())?,
                _ => f.write_char(letter)?,
            }
        }
        f.write_char('"')
    }
}

/// Marks of format: of direction, of joining, of order of bytes.
fn is_unseen(letter: char) -> bool {
    matches!(letter, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_strangers_show_as_they_are_and_do_no_harm() {
        let shown = |text| Quoted(text).to_string();
        assert_eq!(shown("interop/g\u{e9}n\u{e9}ral \u{1f331}"), "\"interop/g\u{e9}n\u{e9}ral \u{1f331}\"");
        assert_eq!(shown("a\"b\\"), r#""a\"b\\""#);
        assert_eq!(shown("\n\u{1b}[2J\u{202e}\u{9b}"), r#""\u{a}\u{1b}[2J\u{202e}\u{9b}""#);
    }
}
