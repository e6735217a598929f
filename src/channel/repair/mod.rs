//! Repair among the members: what we miss and will ask for, what others miss and we may answer, and when.
//!
//! RFC: Determine T_req; Determine T_resp; Determine response group
//!
//! The formulas are the RFC's, its hash as `@waku/sds` has it: the first eight bytes, big-endian, of SHA-256 over the
//! plain concatenation of the texts. Members of one group should agree on it, for it is what spreads them over time.

mod answers;
mod requests;

pub(super) use answers::Answers;
pub(super) use requests::Requests;

use sha2::{Digest, Sha256};

/// How long to wait before asking for a missing message, in milliseconds (RFC 109, *Determine T_req*).
///
/// `t_max_ms` must be greater than `t_min_ms`; otherwise the wait is `t_min_ms`.
pub fn t_req_wait_ms(participant_id: &str, message_id: &str, t_min_ms: u64, t_max_ms: u64) -> u64 {
    let range = t_max_ms.saturating_sub(t_min_ms);
    hash(&[participant_id, message_id]).checked_rem(range).unwrap_or(0).saturating_add(t_min_ms)
}

/// How long to wait before answering a request for a message of `sender_id`, in milliseconds; 0 for its sender (RFC 109,
/// *Determine T_resp*).
pub fn t_resp_wait_ms(participant_id: &str, sender_id: &str, message_id: &str, t_max_ms: u64) -> u64 {
    let distance = hash(&[participant_id]) ^ hash(&[sender_id]);
    // Of two numbers of 64 bits: nothing wraps. The remainder is below `t_max_ms`, so that it fits.
    let product = u128::from(distance).wrapping_mul(u128::from(hash(&[message_id])));
    product.checked_rem(u128::from(t_max_ms)).unwrap_or(0) as u64
}

/// Whether a participant is one of those who answer for a message (RFC 109, *Determine response group*). For a message
/// without a sender nobody is.
pub fn in_response_group(participant_id: &str, sender_id: &str, message_id: &str, num_response_groups: u64) -> bool {
    if sender_id.is_empty() || num_response_groups <= 1 {
        return !sender_id.is_empty();
    }
    let group = |participant_id| hash(&[participant_id, message_id]).checked_rem(num_response_groups);
    group(participant_id) == group(sender_id)
}

fn hash(texts: &[&str]) -> u64 {
    let mut hasher = Sha256::new();
    texts.iter().for_each(|text| hasher.update(text));
    let digest = hasher.finalize();
    digest.iter().take(8).fold(0, |hash, byte| hash << 8 | u64::from(*byte))
}
