//! Looking into bytes without touching any state: for debugging, and for routing.

use crate::bloom::{FilterView, HashKind, ItemHash};
use crate::config::Config;
use crate::error::{DecodeError, FilterError};
use crate::types::{Message, Profile};
use crate::wire;

/// What bytes hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Inspection<'a> {
    /// The format they are in.
    pub profile: Profile,
    /// The message, borrowed from the bytes.
    pub message: Message<'a>,
    /// Its filter: `None` if it has none, an error if it is refused (the message is then processed without it).
    pub filter: Option<Result<FilterInspection, FilterError>>,
}

/// The parameters of a filter and how full it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FilterInspection {
    /// Hash functions, k.
    pub hashes: u32,
    /// Bits, m.
    pub bits: u64,
    /// Ids that it claims to be made for.
    pub capacity: u64,
    /// Share of its bits that are set, 0 to 1.
    pub fill: f64,
    /// The chance that it holds an id that was never put in, 0 to 1, for an id of ordinary hashes.
    pub false_positive_rate: f64,
}

/// Decodes bytes of either profile, with the default limits.
pub fn inspect(bytes: &[u8]) -> Result<Inspection<'_>, DecodeError> {
    let limits = Config::default();
    let (profile, message) = wire::decode(bytes, &limits)?;
    let filter =
        message.bloom_filter.and_then(|filter| FilterView::parse(profile, filter, limits.max_filter_bytes).transpose());
    let filter = filter.map(|filter| filter.map(|filter| inspect_filter(profile, &filter)));
    Ok(Inspection { profile, message, filter })
}

fn inspect_filter(profile: Profile, filter: &FilterView<'_>) -> FilterInspection {
    let fill = filter.fill();
    let ordinary = ItemHash::of(HashKind::of(profile), "an id like any other");
    FilterInspection {
        hashes: filter.hashes(),
        bits: filter.bits(),
        capacity: filter.capacity(),
        fill,
        false_positive_rate: filter.false_positive_rate_at(fill, &ordinary),
    }
}
