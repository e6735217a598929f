//! What the host passes in, held against the limits of the configuration.

use crate::config::Config;
use crate::error::Error;

/// A message to send: its id, if the host gives one, and its content.
pub(super) fn check_outgoing(message_id: Option<&str>, content: &[u8], config: &Config) -> Result<(), Error> {
    if content.is_empty() {
        return Err(Error::EmptyContent);
    }
    let (size, limit) = (content.len(), config.max_message_bytes);
    if size > limit {
        return Err(Error::MessageTooLarge { size, limit });
    }
    message_id.map_or(Ok(()), |id| check_id("message id", id, config))
}

/// A retrieval hint that must not be too long.
pub(super) fn check_hint(hint: &[u8], config: &Config) -> Result<(), Error> {
    let (size, limit) = (hint.len(), config.max_hint_bytes);
    if size > limit { Err(Error::HintTooLong { size, limit }) } else { Ok(()) }
}

/// An id that must not be empty or too long. `field`: what it is, for the error.
pub(super) fn check_id(field: &'static str, id: &str, config: &Config) -> Result<(), Error> {
    let (size, limit) = (id.len(), config.max_id_bytes);
    match size {
        0 => Err(Error::EmptyId(field)),
        _ if size > limit => Err(Error::IdTooLong { field, size, limit }),
        _ => Ok(()),
    }
}
