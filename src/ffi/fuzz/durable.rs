//! Calls of the target `ffi` about durable state: over a store in memory, and with the host's own rows, which it may mix up,
//! lose and damage before it gives them back.

use std::ptr;

use arbitrary::{Result, Unstructured};

use super::args::{Slice, Told, byte, channel, id, number, out};
use super::calls::{UNTOUCHED, on_manager};
use super::hostile;
use super::world::{SDS_OK, World};
use crate::ffi::*;

/// Makes the next call, by a number from 0 to 63.
pub(super) fn call(world: &mut World, input: &mut Unstructured<'_>, number: u8) -> Result<()> {
    match number {
        0..=3 => open_store(world, input),
        4..=11 => open_external(world, input),
        12..=27 => offer(world, input),
        28..=39 => confirm(world, input),
        40..=43 => on_manager(world, input, sds_flush),
        44..=51 => read_log(world, input),
        52..=55 => read_log_record(world, input),
        56..=59 => seed_history(world, input),
        _ => hostile::call(world, input, number % 4),
    }
}

fn config_of(world: &World, number: u8) -> sds_config_t {
    let mut config = world.config;
    let name = if number.is_multiple_of(2) { "alice" } else { "bob" };
    (config.participant_id, config.participant_id_len) = (name.as_ptr().cast(), name.len());
    config
}

fn opened(world: &mut World, status: sds_status_t, manager: sds_manager_t, told: &Told) {
    told.check(status);
    assert_eq!(status == SDS_OK, manager != UNTOUCHED);
    if status == SDS_OK {
        world.open.push(manager);
        assert!(world.open.len() < 400);
    }
}

fn open_store(world: &mut World, input: &mut Unstructured<'_>) -> Result<()> {
    let (config, mut told, how) = (config_of(world, byte(input)?), Told::from(input)?, byte(input)?);
    let path = if how == 255 { Slice::of([0xff]) } else { Slice::of(":memory:") };
    let (synchronous, mut manager) = (u32::from(how % 4), UNTOUCHED);
    // SAFETY: all pointers are ours or NULL, here and below.
    let status = unsafe {
        let (path, len) = (path.text(), path.len());
        let (config, place) = (&raw const config, &raw mut manager);
        sds_manager_open_store(config, path, len, synchronous, world.now_ms, place, told.pointer())
    };
    opened(world, status, manager, &told);
    Ok(())
}

fn open_external(world: &mut World, input: &mut Unstructured<'_>) -> Result<()> {
    let (config, mut told, how) = (config_of(world, byte(input)?), Told::from(input)?, byte(input)?);
    let mut rows: Vec<_> =
        world.rows.iter().map(|((channel, key), value)| (channel.clone(), key.clone(), value.clone())).collect();
    let (at, place) = (usize::from(byte(input)?) % rows.len().max(1), usize::from(byte(input)?));
    if let Some((channel, key, value)) = rows.get_mut(at) {
        match how {
            0..=99 => {}
            100..=119 => drop(rows.remove(at)),
            120..=129 => channel.clear(),
            130..=139 => *key.get_mut(place % 17).expect("keys have 17 bytes") ^= 1 << (how % 8),
            140..=149 => drop(key.pop()),
            150..=169 => value.truncate(place),
            _ => {
                let place = place % value.len().max(1);
                value.iter_mut().skip(place).take(1).for_each(|byte| *byte ^= 1 << (how % 8));
            }
        }
    } else if how > 99 {
        rows.push((b"garden".to_vec(), vec![how % 16; 17], vec![how; 9]));
    }
    let size = if how == 98 { 8 } else { size_of::<sds_stored_t>() };
    let records: Vec<_> = rows.iter().map(|(channel, key, value)| stored(size, channel, key, value)).collect();
    let count = if how == 97 { usize::MAX } else { records.len() };
    let mut manager = UNTOUCHED;
    let (list, place) = (records.as_ptr(), &raw mut manager);
    // SAFETY: a count beyond the records is one that nothing can have.
    let status =
        unsafe { sds_manager_open_external(&raw const config, list, count, world.now_ms, place, told.pointer()) };
    opened(world, status, manager, &told);
    Ok(())
}

fn stored(size: usize, channel: &[u8], key: &[u8], value: &[u8]) -> sds_stored_t {
    sds_stored_t {
        size,
        channel_id: channel.as_ptr().cast(),
        channel_id_len: channel.len(),
        key: key.as_ptr(),
        key_len: key.len(),
        value: value.as_ptr(),
        value_len: value.len(),
    }
}

fn offer(world: &mut World, input: &mut Unstructured<'_>) -> Result<()> {
    let (manager, mut told, mut result) = (world.handle(byte(input)?), Told::from(input)?, out(input)?);
    let (commits, mut offered) = (byte(input)? < 200, UNTOUCHED);
    let pointer = world.out(&mut result);
    // SAFETY: as above.
    let status = unsafe { sds_offer(manager, &raw mut offered, pointer, told.pointer()) };
    told.check(status);
    assert_eq!(status == SDS_OK, offered != UNTOUCHED);
    if status == SDS_OK {
        world.offered = offered;
        world.read_out(status, &result);
        if commits {
            world.commit();
        }
    }
    Ok(())
}

fn confirm(world: &mut World, input: &mut Unstructured<'_>) -> Result<()> {
    let (manager, mut told, how) = (world.handle(byte(input)?), Told::from(input)?, byte(input)?);
    let offered = if how < 200 { world.offered } else { number(input)? };
    // SAFETY: as above.
    let status = unsafe { sds_confirm(manager, offered, told.pointer()) };
    told.check(status);
    Ok(())
}

fn read_log(world: &mut World, input: &mut Unstructured<'_>) -> Result<()> {
    let (manager, mut told, place) = (world.handle(byte(input)?), Told::from(input)?, channel(input)?);
    let (after_ms, after_id, limit) = (number(input)?, id(input, &world.ids)?, usize::from(byte(input)?));
    let (mut result, mut more) = (out(input)?, 7);
    let pointer = world.out(&mut result);
    // SAFETY: as above.
    let status = unsafe {
        let (channel, channel_len, after, after_len) = (place.text(), place.len(), after_id.text(), after_id.len());
        let more = &raw mut more;
        sds_read_log(manager, channel, channel_len, after_ms, after, after_len, limit, pointer, more, told.pointer())
    };
    told.check(status);
    assert!(if status == SDS_OK { more <= 1 } else { more == 7 });
    world.read_out(status, &result);
    Ok(())
}

fn read_log_record(world: &mut World, input: &mut Unstructured<'_>) -> Result<()> {
    let (manager, mut told, mut result) = (world.handle(byte(input)?), Told::from(input)?, out(input)?);
    let (at, how, cut) = (usize::from(byte(input)?), byte(input)?, usize::from(byte(input)?));
    let rows = world.rows.len().max(1);
    let row = world.rows.iter().nth(at % rows).map(|((_, key), value)| (key.clone(), value.clone()));
    let (mut key, mut value) = row.unwrap_or((vec![1; 17], vec![how; 5]));
    match how {
        0..=99 => {}
        100..=149 => value.truncate(cut),
        150..=199 => key.truncate(cut % 18),
        _ => value.iter_mut().skip(cut).take(1).for_each(|byte| *byte ^= 1 << (how % 8)),
    }
    let (key, side) = (Slice::of(key), Slice::of(if how % 3 == 0 { value.clone() } else { Vec::new() }));
    let value = Slice::of(value);
    let pointer = world.out(&mut result);
    // SAFETY: as above.
    let status = unsafe {
        let (key, key_len, value, value_len) = (key.data(), key.len(), value.data(), value.len());
        sds_read_log_record(manager, key, key_len, value, value_len, side.data(), side.len(), pointer, told.pointer())
    };
    told.check(status);
    world.read_out(status, &result);
    Ok(())
}

fn seed_history(world: &mut World, input: &mut Unstructured<'_>) -> Result<()> {
    let (manager, mut told, place) = (world.handle(byte(input)?), Told::from(input)?, channel(input)?);
    let (how, mut texts) = (byte(input)?, Vec::new());
    for _ in 0..how % 5 {
        texts.push((id(input, &world.ids)?, number(input)?));
    }
    let size = if how == 255 { 8 } else { size_of::<sds_known_t>() };
    let known: Vec<_> = texts.iter().map(|(id, timestamp)| message(size, id, *timestamp)).collect();
    let mut added = UNTOUCHED as usize;
    // SAFETY: as above.
    let status = unsafe {
        let (channel, channel_len) = (place.text(), place.len());
        let (list, added) = (known.as_ptr(), &raw mut added);
        sds_seed_history(manager, channel, channel_len, list, known.len(), world.now_ms, added, told.pointer())
    };
    told.check(status);
    assert!(if status == SDS_OK { added <= known.len() } else { added == UNTOUCHED as usize });
    Ok(())
}

fn message(size: usize, id: &Slice, lamport_timestamp_ms: u64) -> sds_known_t {
    sds_known_t {
        size,
        message_id: id.text(),
        message_id_len: id.len(),
        sender_id: ptr::null(),
        sender_id_len: 0,
        lamport_timestamp_ms,
        retrieval_hint: id.data(),
        retrieval_hint_len: id.len(),
    }
}
