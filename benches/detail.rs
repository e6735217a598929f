//! Where the time goes: the parts of a wrap and of an unwrap by themselves. Absolute times, to look at on one quiet
//! machine; no limit hangs on them.

// criterion_group! makes a public function without a comment.
#![allow(missing_docs)]

#[path = "common/mod.rs"]
mod common;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use std::time::Duration;

use common::chat::{ALICE, BOB, Member, config, message_id};
use sds::bloom::{HashKind, ItemHash, RollingFilter};
use sds::types::Profile;
use sds::{Config, wire};

const PROFILES: [Profile; 2] = [Profile::Rfc, Profile::Libsds];
const BATCH: usize = 100;
const STEP_MS: u64 = 1_000;

fn member(name: &'static str, profile: Profile) -> Member {
    let mut member = Member::new(name, profile, STEP_MS, config(name));
    member.send(2_000);
    member
}

fn wrap(criterion: &mut Criterion) {
    for profile in PROFILES {
        let alice = std::cell::RefCell::new(member(ALICE, profile));
        criterion.bench_function(&format!("wrap {BATCH} {}", profile.name()), |bencher| {
            bencher.iter_batched(
                || alice.borrow_mut().next_ids(BATCH),
                |ids| {
                    let mut alice = alice.borrow_mut();
                    ids.iter().for_each(|id| drop(black_box(alice.wrap(id))));
                    alice.settle(&ids);
                },
                BatchSize::LargeInput,
            );
        });
    }
}

fn unwrap(criterion: &mut Criterion) {
    for profile in PROFILES {
        let alice = std::cell::RefCell::new(member(ALICE, profile));
        let mut bob = Member::new(BOB, profile, STEP_MS, config(BOB));
        criterion.bench_function(&format!("unwrap {BATCH} {}", profile.name()), |bencher| {
            bencher.iter_batched(
                || alice.borrow_mut().send(BATCH),
                |messages| {
                    messages.iter().for_each(|bytes| {
                        black_box(bob.unwrap(bytes));
                    })
                },
                BatchSize::LargeInput,
            );
        });
    }
}

fn codec(criterion: &mut Criterion) {
    let limits = Config::default();
    for profile in PROFILES {
        let bytes = member(ALICE, profile).send(1).remove(0);
        criterion.bench_function(&format!("decode {}", profile.name()), |bencher| {
            bencher.iter(|| wire::decode(black_box(&bytes), &limits).map(|(profile, _)| profile));
        });
        let Ok((_, message)) = wire::decode(&bytes, &limits) else { return };
        criterion.bench_function(&format!("encode {}", profile.name()), |bencher| {
            bencher.iter(|| {
                let mut out = Vec::new();
                wire::encode(profile, black_box(&message), &mut out);
                out
            });
        });
    }
}

fn filter(criterion: &mut Criterion) {
    for profile in PROFILES {
        let kind = HashKind::of(profile);
        let ids: Vec<_> = (0..10_000).map(|number| message_id(ALICE, number)).collect();
        criterion.bench_function(&format!("hash an id {}", profile.name()), |bencher| {
            bencher.iter(|| ItemHash::of(kind, black_box(&ids[0])));
        });
        criterion.bench_function(&format!("insert 10,000 ids {}", profile.name()), |bencher| {
            bencher.iter(|| {
                let mut filter = RollingFilter::new(profile, &Config::default(), 1);
                ids.iter().for_each(|id| filter.insert(id, 1));
                filter.len()
            });
        });
    }
}

criterion_group! {
    name = detail;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .sample_size(20);
    targets = wrap, unwrap, codec, filter
}
criterion_main!(detail);
