//! Target `filter`: filters of others with any parameters, and our own with any ids at any time.

use arbitrary::{Result, Unstructured};

use crate::bloom::{Filter, FilterView, HashKind, ItemHash, Params, RFC_PARAMS, RollingFilter};
use crate::config::Config;
use crate::types::Profile;

/// The input: a profile, a size, up to 32 ids, each with a time, and the bytes of a received filter.
pub(super) fn run(bytes: &[u8]) {
    // Too few bytes are an input like any other, which ends early.
    let _ = filters(&mut Unstructured::new(bytes));
}

fn filters(input: &mut Unstructured<'_>) -> Result<()> {
    let profile = if input.arbitrary::<u8>()? & 1 == 0 { Profile::Rfc } else { Profile::Libsds };
    let config = Config {
        bloom_capacity: input.int_in_range(64..=2_000)?,
        bloom_error_rate: 10f64.powi(-i32::from(input.int_in_range(1..=6u8)?)),
        ack_window_ms: 1_000,
        ..Config::default()
    };
    let ids = ids(input)?;
    own_filter(profile, &config, &ids);
    rolling_filter(profile, &config, &ids);
    received_filter(profile, input.bytes(input.len())?, &config, &ids);
    Ok(())
}

/// Ids and the milliseconds between them.
fn ids(input: &mut Unstructured<'_>) -> Result<Vec<(String, u64)>> {
    let mut ids = Vec::new();
    for _ in 0..input.int_in_range(0..=32u8)? {
        let later_ms = u64::from(input.arbitrary::<u8>()?) * 4;
        // Some are longer than what fits the stack where they are hashed.
        let length = usize::from(input.arbitrary::<u8>()?);
        let repeat = if length >= 250 { 3 } else { 1 };
        let length = length.min(input.len());
        let id = String::from_utf8_lossy(input.bytes(length)?).repeat(repeat);
        ids.push((id, later_ms));
    }
    Ok(ids)
}

/// One filter of a fixed size: what went in is in, and a receiver reads the same.
fn own_filter(profile: Profile, config: &Config, ids: &[(String, u64)]) {
    let params = match profile {
        Profile::Rfc => RFC_PARAMS,
        Profile::Libsds => {
            Params::sized(config.bloom_capacity as u64, config.bloom_error_rate).with_prime_bits(ids.len() as u64)
        }
    };
    assert!(params.bits >= 1 && params.bits <= params.word_bytes() as u64 * 8);
    let mut filter = Filter::new(profile, params);
    let items: Vec<_> = ids.iter().map(|(id, _)| ItemHash::of(HashKind::of(profile), id)).collect();
    items.iter().for_each(|item| filter.insert(item));
    let view = filter.view().expect("a size that the profile can read");
    assert_eq!((view.bits(), view.hashes()), (params.bits, params.hashes));
    for item in &items {
        assert!(filter.contains(item) && view.contains(item));
    }
    rates_are_chances(&view, &items);
    filter.clear();
    assert!(items.iter().all(|item| !filter.contains(item)));
}

/// The filter of a channel: what is covered is in it, and it holds no more than it may.
fn rolling_filter(profile: Profile, config: &Config, ids: &[(String, u64)]) {
    let mut filter = RollingFilter::new(profile, config, 7);
    let mut now_ms = 0;
    for (number, (id, later_ms)) in ids.iter().enumerate() {
        now_ms += later_ms;
        // One id of the input stands for forty, so that the filter grows and rolls over.
        for more in 0..40 {
            filter.insert(&format!("{id}{number}.{more}"), now_ms);
        }
        filter.insert(id, now_ms);
        let item = ItemHash::of(filter.kind(), id);
        assert!(filter.covers(&item) && filter.contains(&item));
        assert!(filter.len() <= config.bloom_capacity);
        let view = FilterView::parse(profile, filter.wire_bytes(), config.max_filter_bytes).expect("a sound filter");
        assert!(view.expect("never empty").contains(&item));
        if later_ms % 3 == 0 {
            filter.expire(now_ms);
        }
    }
    filter.expire(now_ms + config.ack_window_ms);
    assert!(filter.is_empty(), "all has left the window");
}

/// Bytes of a stranger: refused, or safe to look into.
fn received_filter(profile: Profile, bytes: &[u8], config: &Config, ids: &[(String, u64)]) {
    let Ok(Some(view)) = FilterView::parse(profile, bytes, config.max_filter_bytes) else { return };
    assert!((1..=64).contains(&view.hashes()) && view.bits() >= 1);
    assert!(view.bits() <= view.wire_len() as u64 * 8 && view.wire_len() <= config.max_filter_bytes);
    let mut items: Vec<_> = ids.iter().map(|(id, _)| ItemHash::of(view.kind(), id)).collect();
    // The ends of what hashes can be.
    items.extend([(0, 0), (u64::MAX, u64::MAX), (1 << 63, 1), (1, 1 << 63)].map(|(a, b)| ItemHash::from_parts(a, b)));
    rates_are_chances(&view, &items);
    if view.fill() == 1.0 {
        assert!(items.iter().all(|item| view.contains(item)));
    }
    if view.fill() == 0.0 {
        assert!(!items.iter().any(|item| view.contains(item)));
    }
}

fn rates_are_chances(view: &FilterView<'_>, items: &[ItemHash]) {
    let fill = view.fill();
    assert!((0.0..=1.0).contains(&fill), "fill {fill}");
    let least = view.least_false_positive_rate(fill);
    for item in items {
        let rate = view.false_positive_rate(item);
        assert!((0.0..=1.0).contains(&rate) && rate >= least, "{rate} under {least}");
        view.contains(item);
    }
}
