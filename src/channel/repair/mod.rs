//! Repair among the members: what we miss and will ask for, what others miss and we may answer, and when.
//!
//! RFC: Determine T_req; Determine T_resp; Determine response group
//!
//! The formulas are the RFC's, its hash as `@waku/sds` has it: the first eight bytes, big-endian, of SHA-256 over the
//! plain concatenation of the texts. Members of one group should agree on it, for it is what spreads them over time.

mod answers;
mod requests;

pub(super) use answers::{Answers, AnswersRecord, AnswersRecords};
pub(super) use requests::{Requests, RequestsRecord};

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
    product_below(distance, hash(&[message_id]), t_max_ms)
}

/// `a * b % m`; 0 if `m` is. By addition alone: `m` is some minutes, which takes as many steps as it has bits, and nothing else in
/// the engine needs a division of 128 bits, which is code of its own in WebAssembly.
fn product_below(a: u64, b: u64, m: u64) -> u64 {
    let (Some(mut a), Some(mut b)) = (a.checked_rem(m), b.checked_rem(m)) else { return 0 };
    // Both are below `m`, as their sum is then. The comparison sees to it that nothing wraps.
    let add = |x: u64, y: u64| {
        let to_end = m.wrapping_sub(y);
        if x >= to_end { x.wrapping_sub(to_end) } else { x.wrapping_add(y) }
    };
    let mut sum = 0;
    while b > 0 {
        if b & 1 == 1 {
            sum = add(sum, a);
        }
        a = add(a, a);
        b >>= 1;
    }
    sum
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

#[cfg(test)]
mod tests {
    use super::product_below;

    #[test]
    fn products_are_those_of_wide_numbers() {
        let mut rng = fastrand::Rng::with_seed(1);
        for _ in 0..1_000 {
            let (a, b, m) = (rng.u64(..), rng.u64(..), rng.u64(1..) >> rng.u32(..63) | 1);
            assert_eq!(
                u128::from(product_below(a, b, m)),
                u128::from(a) * u128::from(b) % u128::from(m),
                "{a} {b} {m}"
            );
        }
        assert_eq!(product_below(1, 1, 0), 0);
        assert_eq!(product_below(1, 1, 1), 0);
    }
}
