//! How our own filter grows, forgets and rolls over.

use super::*;

fn config() -> Config {
    Config { ack_window_ms: 1_000, ..Config::default() }
}

fn libsds(bloom_capacity: usize) -> RollingFilter {
    RollingFilter::new(Profile::Libsds, &Config { bloom_capacity, ..config() }, 1)
}

fn insert(filter: &mut RollingFilter, ids: std::ops::Range<u64>, now_ms: u64) {
    ids.for_each(|n| filter.insert(&id(n), now_ms));
}

fn covered(filter: &RollingFilter, ids: std::ops::Range<u64>) -> usize {
    ids.filter(|n| filter.covers(&item(*n))).count()
}

/// What a receiver finds of ids, in the bytes as they would be sent.
fn seen(filter: &RollingFilter, ids: std::ops::Range<u64>) -> usize {
    let view = parse(filter.wire_bytes()).unwrap().unwrap();
    assert_eq!((view.bits(), view.hashes()), (filter.params().bits, filter.params().hashes));
    ids.filter(|n| view.contains(&item(*n))).count()
}

#[test]
fn empty_filters_are_valid_and_cost_nothing() {
    for profile in BOTH {
        let filter = RollingFilter::new(profile, &config(), 1);
        let another = RollingFilter::new(profile, &config(), 2);
        assert!(std::ptr::eq(filter.wire_bytes(), another.wire_bytes()), "both are the same static");
        assert_eq!(filter.wire_bytes(), Filter::new(profile, filter.params()).wire_bytes());
        let view = FilterView::parse(profile, filter.wire_bytes(), 1 << 17).unwrap().unwrap();
        assert_eq!(view.fill(), 0.0);
        assert!(filter.is_empty() && !filter.covers(&item(1)) && !filter.contains(&item(1)));
    }
}

#[test]
fn an_empty_libsds_filter_is_sized_as_peers_would() {
    assert_eq!(libsds(64).params(), Params::sized(1, 0.001));
}

#[test]
fn it_grows_by_doubling() {
    let mut filter = libsds(10_000);
    let mut capacities = Vec::new();
    for n in 0..10_000 {
        filter.insert(&id(n), 0);
        capacities.push(filter.params().capacity);
        assert!(filter.len() as u64 <= filter.params().capacity);
    }
    capacities.dedup();
    assert_eq!(capacities, [64, 128, 256, 512, 1_024, 2_048, 4_096, 8_192, 10_000]);
    assert_eq!(seen(&filter, 0..10_000), 10_000, "growth loses nothing");
    assert_eq!(filter.rebuilds(), 8);
}

#[test]
fn a_quiet_channel_carries_about_150_bytes() {
    let mut filter = libsds(10_000);
    insert(&mut filter, 0..1, 0);
    assert!((128..=150).contains(&filter.wire_bytes().len()), "{}", filter.wire_bytes().len());
}

#[test]
fn at_the_greatest_capacity_the_oldest_fifth_leaves() {
    let mut filter = libsds(1_000);
    insert(&mut filter, 0..1_000, 0);
    let before = filter.rebuilds();
    insert(&mut filter, 1_000..1_001, 0);
    assert_eq!((filter.len(), filter.rebuilds() - before), (801, 1));
    assert_eq!((covered(&filter, 0..200), covered(&filter, 200..1_001)), (0, 801));
    assert_eq!(seen(&filter, 200..1_001), 801);
    assert!(seen(&filter, 0..200) <= 3, "dropped ids are gone from the bits");
    insert(&mut filter, 1_001..11_001, 0);
    assert_eq!(filter.rebuilds() - before, 51, "one rebuild per 200 ids");
}

#[test]
fn expiry_is_lazy() {
    let mut filter = libsds(10_000);
    insert(&mut filter, 0..100, 0);
    insert(&mut filter, 100..201, 500);
    filter.expire(999);
    assert_eq!((filter.len(), covered(&filter, 0..201)), (201, 201));
    let before = filter.rebuilds();
    filter.expire(1_000);
    assert_eq!(filter.rebuilds(), before, "100 of 201 expired: not yet half");
    assert_eq!((filter.len(), covered(&filter, 0..100), covered(&filter, 100..201)), (201, 0, 101));
    assert_eq!(seen(&filter, 0..201), 201, "their bits stay for a while");
    insert(&mut filter, 201..202, 1_500);
    filter.expire(1_500);
    assert_eq!((filter.len(), filter.params().capacity), (1, 64), "shrunk to the smallest that holds the living");
    assert_eq!((seen(&filter, 201..202), filter.rebuilds() - before), (1, 1));
}

#[test]
fn it_shrinks_to_the_smallest_doubling() {
    for (living, capacity) in [(64, 64), (65, 128), (128, 128), (129, 256)] {
        let mut filter = libsds(10_000);
        insert(&mut filter, 0..1_000, 0);
        insert(&mut filter, 1_000..1_000 + living, 900);
        filter.expire(1_000);
        assert_eq!((filter.len() as u64, filter.params().capacity), (living, capacity));
        assert_eq!(seen(&filter, 1_000..1_000 + living), living as usize);
    }
}

#[test]
fn when_all_expired_it_is_as_new() {
    for profile in BOTH {
        let mut filter = RollingFilter::new(profile, &config(), 1);
        let empty = filter.wire_bytes().as_ptr();
        insert(&mut filter, 0..300, 0);
        assert_ne!(filter.wire_bytes().as_ptr(), empty);
        filter.expire(1_000);
        assert_eq!((filter.wire_bytes().as_ptr(), filter.len()), (empty, 0));
        insert(&mut filter, 0..300, 1_000);
        assert_eq!(filter.len(), 300);
    }
}

#[test]
fn an_id_past_the_window_can_come_in_again() {
    let mut filter = libsds(10_000);
    insert(&mut filter, 0..1, 0);
    insert(&mut filter, 1..4, 500);
    insert(&mut filter, 0..1, 1_100);
    assert_eq!((filter.len(), covered(&filter, 0..4)), (4, 4));
    filter.expire(1_500);
    assert_eq!((filter.len(), covered(&filter, 0..1), seen(&filter, 0..1)), (1, 1, 1), "the later entry counts");
    filter.expire(2_100);
    assert!(filter.is_empty());
}

#[test]
fn an_id_inside_the_window_is_not_counted_twice() {
    let mut filter = libsds(10_000);
    (0..1_000).for_each(|now_ms| filter.insert(&id(7), now_ms));
    assert_eq!((filter.len(), filter.params().capacity), (1, 64));
    filter.expire(1_000);
    assert!(filter.is_empty(), "nor does it stay longer");
}

#[test]
fn a_steady_stream_rebuilds_now_and_then() {
    let mut filter = libsds(10_000);
    for n in 0..20_000 {
        filter.insert(&id(n), n);
        filter.expire(n);
        assert!(filter.len() <= 2_001, "a window holds 1,000");
        if n % 97 == 0 {
            assert_eq!(covered(&filter, n.saturating_sub(999)..n + 1), 1_000.min(n as usize + 1));
        }
    }
    // Per 1,000 ids, the expired half leaves once, and the filter that just held the rest doubles once.
    assert!(filter.rebuilds() <= 5 + 2 * 20, "{}", filter.rebuilds());
}

#[test]
fn the_rfc_filter_has_its_one_size() {
    let wide = Config { bloom_capacity: 1_000_000, bloom_error_rate: 0.01, ..config() };
    let mut filter = RollingFilter::new(Profile::Rfc, &wide, 1);
    insert(&mut filter, 0..10_001, 0);
    assert_eq!((filter.len(), filter.params(), filter.wire_bytes().len()), (8_001, RFC_PARAMS, 18_752));
    let narrow = Config { bloom_capacity: 100, ..config() };
    let mut filter = RollingFilter::new(Profile::Rfc, &narrow, 1);
    insert(&mut filter, 0..101, 0);
    assert_eq!((filter.len(), filter.wire_bytes().len()), (81, 18_752));
    let view = FilterView::parse(Profile::Rfc, filter.wire_bytes(), 1 << 17).unwrap().unwrap();
    assert!((20..101).all(|n| view.contains(&ItemHash::of(HashKind::Murmur, &id(n)))));
}

#[test]
fn installations_differ_in_their_number_of_bits() {
    let bits = |seed| {
        let mut filter = RollingFilter::new(Profile::Libsds, &config(), seed);
        filter.insert("an id", 0);
        filter.params().bits
    };
    let all: HashSet<u64> = (0..100).map(bits).collect();
    assert!(all.len() > 5 && all.iter().all(|bits| (960..1_024).contains(bits)), "{all:?}");
}
