//! The calls of the target `ffi`, by number, which stays; those about messages lie in `messages`. Each checks what its contract says of any call: the status is one that a
//! host can act on, and a call that fails writes none of its outputs.

use std::ptr;

use arbitrary::{Result, Unstructured};

use super::args::{Told, byte, channel, number, out};
use super::durable;
use super::messages::{hint, inspect, mark, message_status, on_message, unwrap, unwrap_batch, wrap, wrap_into};
use super::world::{SDS_OK, World};
use crate::ffi::guard::sds_error_t;
use crate::ffi::*;

/// What outputs are set to before a call that must not write them.
pub(super) const UNTOUCHED: u64 = 0x5aa5_5aa5;

/// Makes the next call.
pub(super) fn call(world: &mut World, input: &mut Unstructured<'_>) -> Result<()> {
    let number = byte(input)?;
    if let Some(number) = number.checked_sub(192) {
        return durable::call(world, input, number);
    }
    match number % 32 {
        0 => clock(world, input),
        1 => tick(world, input),
        2 | 3 => drain(world, input),
        4 => wrap(world, input, sds_wrap_outgoing),
        5 => wrap(world, input, sds_wrap_ephemeral),
        6 => wrap_into(world, input),
        7 | 8 => unwrap(world, input),
        9 => unwrap_batch(world, input),
        10 => channel_open(world, input),
        11 => on_channel(world, input, sds_channel_close),
        12 => on_channel(world, input, sds_channel_forget),
        13 => channel_status(world, input),
        14 => to_text(world, input),
        15 => next_history(world, input),
        16 => mark(world, input),
        17 => hint(world, input),
        18 => message_status(world, input),
        19 => on_message(world, input, sds_retry),
        20 => on_message(world, input, sds_cancel),
        21 => set_online(world, input),
        22 => on_manager(world, input, sds_manager_reset),
        23 => close(world, input),
        24 => open(world, input),
        25 => inspect(world, input),
        26 => read_garbage(input),
        27 => next_deadline(world, input),
        28 => channel_list(world, input),
        29 => about_the_process(input),
        30 => free(world),
        _ => shutdown(world, input),
    }
}

fn clock(world: &mut World, input: &mut Unstructured<'_>) -> Result<()> {
    let how = byte(input)?;
    let by = u64::from(input.arbitrary::<u16>()?) * [1, 100, 1_000, 60_000][usize::from(how % 4)];
    world.now_ms = match how >> 4 {
        0..=10 => world.now_ms.saturating_add(by),
        11..=13 => world.now_ms.saturating_sub(by),
        _ => number(input)?,
    };
    Ok(())
}

fn tick(world: &mut World, input: &mut Unstructured<'_>) -> Result<()> {
    let (manager, mut told) = (world.handle(byte(input)?), Told::from(input)?);
    // SAFETY: the error is ours or NULL, here and below.
    let status = unsafe { sds_tick(manager, world.now_ms, told.pointer()) };
    told.check(status);
    Ok(())
}

type OnManager = unsafe extern "C" fn(sds_manager_t, *mut sds_error_t) -> sds_status_t;

pub(super) fn on_manager(world: &mut World, input: &mut Unstructured<'_>, call: OnManager) -> Result<()> {
    let (manager, mut told) = (world.handle(byte(input)?), Told::from(input)?);
    // SAFETY: as for `tick`.
    let status = unsafe { call(manager, told.pointer()) };
    told.check(status);
    Ok(())
}

fn set_online(world: &mut World, input: &mut Unstructured<'_>) -> Result<()> {
    let (manager, mut told) = (world.handle(byte(input)?), Told::from(input)?);
    let online = u32::from(byte(input)?) % 3;
    // SAFETY: as for `tick`.
    let status = unsafe { sds_set_online(manager, online, world.now_ms, told.pointer()) };
    told.check(status);
    Ok(())
}

fn close(world: &mut World, input: &mut Unstructured<'_>) -> Result<()> {
    let (manager, mut told) = (world.handle(byte(input)?), Told::from(input)?);
    // SAFETY: as for `tick`.
    let status = unsafe { sds_manager_close(manager, told.pointer()) };
    told.check(status);
    assert_eq!(status == SDS_OK, world.open.contains(&manager));
    if status == SDS_OK {
        world.open.retain(|open| *open != manager);
        world.closed.push(manager);
    }
    Ok(())
}

/// Opens a manager with any number in any field.
fn open(world: &mut World, input: &mut Unstructured<'_>) -> Result<()> {
    let mut config = config(world, input)?;
    let name = channel(input)?;
    (config.participant_id, config.participant_id_len) = (name.text(), name.len());
    // What went wrong must go wrong again: no seed from the system.
    config.has_seed = config.has_seed.max(1);
    let (mut manager, mut told) = (UNTOUCHED, Told::from(input)?);
    let place = if byte(input)? == 255 { ptr::null_mut() } else { &raw mut manager };
    // SAFETY: `config` is whole, its text is there, and all else is ours or NULL.
    let status = unsafe { sds_manager_open(&raw const config, place, told.pointer()) };
    told.check(status);
    assert_eq!(status == SDS_OK, manager != UNTOUCHED);
    if status == SDS_OK {
        world.open.push(manager);
        assert!(world.open.len() < 400);
    }
    Ok(())
}

fn config(world: &World, input: &mut Unstructured<'_>) -> Result<sds_config_t> {
    let mut config = world.config;
    let base = byte(input)?;
    if base & 1 == 1 {
        let size = if base == 255 { 8 } else { size_of::<sds_config_t>() };
        // SAFETY: a structure of ours; a size that is not its own is refused.
        let status = unsafe { sds_config_init(&raw mut config, size) };
        assert_eq!(status == SDS_OK, size == size_of::<sds_config_t>());
    }
    for _ in 0..base >> 1 & 3 {
        let (field, value) = (byte(input)?, number(input)?);
        set_field(&mut config, field, value);
    }
    Ok(config)
}

/// Puts a number into a configuration, at any place where a field may be. Half of it, where fields are of four bytes.
fn set_field(config: &mut sds_config_t, field: u8, value: u64) {
    let halves = size_of::<sds_config_t>() / 4;
    let half = usize::from(field) % halves;
    let config: *mut u32 = ptr::from_mut(config).cast();
    // SAFETY: both places lie within the structure, which is aligned and valid for any bits; its pointer is set later.
    unsafe {
        config.add(half).write(value as u32);
        if half.is_multiple_of(2) && half + 1 < halves && value >> 32 != 0 {
            config.add(half + 1).write((value >> 32) as u32);
        }
    }
}

fn next_deadline(world: &mut World, input: &mut Unstructured<'_>) -> Result<()> {
    let (manager, mut told) = (world.handle(byte(input)?), Told::from(input)?);
    let mut deadline_ms = UNTOUCHED;
    let place = if byte(input)? == 255 { ptr::null_mut() } else { &raw mut deadline_ms };
    // SAFETY: pointers are ours or NULL, here and below.
    let status = unsafe { sds_next_deadline(manager, place, told.pointer()) };
    told.check(status);
    assert!(status == SDS_OK || deadline_ms == UNTOUCHED);
    Ok(())
}

fn drain(world: &mut World, input: &mut Unstructured<'_>) -> Result<()> {
    let (manager, mut told) = (world.handle(byte(input)?), Told::from(input)?);
    let how = byte(input)?;
    let mut memory = vec![0; if how < 128 { 64 << 10 } else { usize::from(how - 128) * 8 }];
    let (mut len, mut next_len) = (UNTOUCHED as usize, UNTOUCHED as usize);
    let data = if how == 255 { ptr::null_mut() } else { memory.as_mut_ptr() };
    let next = if how % 8 == 7 { ptr::null_mut() } else { &raw mut next_len };
    // SAFETY: as above; `memory` has its length.
    let status = unsafe { sds_drain(manager, data, memory.len(), &raw mut len, next, told.pointer()) };
    told.check(status);
    match status {
        SDS_OK => world.read(&memory[..len]),
        sds_status_t::SDS_BUFFER_TOO_SMALL => {
            assert_eq!(len, UNTOUCHED as usize);
            assert!(next.is_null() || next_len > memory.len());
        }
        _ => assert_eq!((len, next_len), (UNTOUCHED as usize, UNTOUCHED as usize)),
    }
    Ok(())
}

fn channel_open(world: &mut World, input: &mut Unstructured<'_>) -> Result<()> {
    let (manager, mut told, place) = (world.handle(byte(input)?), Told::from(input)?, channel(input)?);
    let how = byte(input)?;
    let size = if how == 255 { 4 } else { size_of::<sds_channel_options_t>() };
    let options = sds_channel_options_t { size, profile: u32::from(how) % 4, flags: u32::from(how >> 2) % 5 };
    let options = if how == 254 { ptr::null() } else { &raw const options };
    // SAFETY: as for `wrap`; options are ours or NULL.
    let status = unsafe { sds_channel_open(manager, place.text(), place.len(), options, world.now_ms, told.pointer()) };
    told.check(status);
    Ok(())
}

type OnChannel = unsafe extern "C" fn(sds_manager_t, *const std::ffi::c_char, usize, *mut sds_error_t) -> sds_status_t;

fn on_channel(world: &mut World, input: &mut Unstructured<'_>, call: OnChannel) -> Result<()> {
    let (manager, mut told, place) = (world.handle(byte(input)?), Told::from(input)?, channel(input)?);
    // SAFETY: as for `wrap`.
    let status = unsafe { call(manager, place.text(), place.len(), told.pointer()) };
    told.check(status);
    Ok(())
}

fn channel_status(world: &mut World, input: &mut Unstructured<'_>) -> Result<()> {
    let (manager, mut told, place) = (world.handle(byte(input)?), Told::from(input)?, channel(input)?);
    // SAFETY: a structure of numbers, for which all zero bits are valid.
    let mut status: sds_channel_status_t = unsafe { std::mem::zeroed() };
    let how = byte(input)?;
    status.size = if how == 255 { 8 } else { size_of::<sds_channel_status_t>() };
    let pointer = if how == 254 { ptr::null_mut() } else { &raw mut status };
    // SAFETY: as for `wrap`.
    let outcome = unsafe { sds_channel_status(manager, place.text(), place.len(), pointer, told.pointer()) };
    told.check(outcome);
    assert!(outcome == SDS_OK || status.lamport_timestamp_ms == 0);
    Ok(())
}

fn to_text(world: &mut World, input: &mut Unstructured<'_>) -> Result<()> {
    let (manager, mut told, place) = (world.handle(byte(input)?), Told::from(input)?, channel(input)?);
    let mut result = out(input)?;
    let pointer = world.out(&mut result);
    // SAFETY: as for `wrap`.
    let status = unsafe { sds_channel_dump(manager, place.text(), place.len(), pointer, told.pointer()) };
    told.check(status);
    if status == SDS_OK {
        serde_json::from_slice::<serde_json::Value>(world.out_bytes()).expect("a dump is JSON");
    }
    Ok(())
}

fn next_history(world: &mut World, input: &mut Unstructured<'_>) -> Result<()> {
    let (manager, mut told, place) = (world.handle(byte(input)?), Told::from(input)?, channel(input)?);
    let mut result = out(input)?;
    let pointer = world.out(&mut result);
    // SAFETY: as for `wrap`.
    let status = unsafe { sds_next_history(manager, place.text(), place.len(), pointer, told.pointer()) };
    told.check(status);
    world.read_out(status, &result);
    let pointer = world.out(&mut result);
    // SAFETY: the same.
    let status = unsafe { sds_missing(manager, place.text(), place.len(), pointer, told.pointer()) };
    told.check(status);
    world.read_out(status, &result);
    Ok(())
}

fn channel_list(world: &mut World, input: &mut Unstructured<'_>) -> Result<()> {
    let (manager, mut told, mut result) = (world.handle(byte(input)?), Told::from(input)?, out(input)?);
    let pointer = world.out(&mut result);
    // SAFETY: as for `wrap`.
    let status = unsafe { sds_channel_list(manager, pointer, told.pointer()) };
    told.check(status);
    world.read_out(status, &result);
    Ok(())
}

/// Bytes that are no records, or broken ones, read as such.
fn read_garbage(input: &mut Unstructured<'_>) -> Result<()> {
    let how = byte(input)?;
    let length = usize::from(byte(input)?).min(input.len());
    let bytes = input.bytes(length)?.to_vec();
    // SAFETY: structures of numbers and raw pointers, for which all zero bits are valid.
    let (mut record, mut entry) = unsafe { (std::mem::zeroed::<sds_record_t>(), std::mem::zeroed::<sds_entry_t>()) };
    record.size = if how == 255 { 1 } else { size_of::<sds_record_t>() };
    entry.size = if how == 254 { 1 } else { size_of::<sds_entry_t>() };
    let mut at = if how > 200 { usize::MAX - usize::from(how) } else { usize::from(how) / 8 };
    // SAFETY: `bytes` has its length, all else is ours.
    while unsafe { sds_record_next(bytes.as_ptr(), bytes.len(), &raw mut at, &raw mut record) } == SDS_OK {
        assert!(at <= bytes.len());
        let mut from = 0;
        // SAFETY: the record points into `bytes`.
        while unsafe { sds_entry_next(&raw const record, &raw mut from, &raw mut entry) } == SDS_OK {
            assert!(from <= record.entries_len);
        }
    }
    Ok(())
}

/// Calls that concern no manager.
fn about_the_process(input: &mut Unstructured<'_>) -> Result<()> {
    let code = input.arbitrary::<u32>()?;
    // SAFETY: texts of the library's, which end in NUL.
    unsafe {
        let text = std::ffi::CStr::from_ptr(sds_status_text(code as i32));
        assert!(text.to_str().is_ok_and(|text| !text.is_empty()));
        assert!(std::ffi::CStr::from_ptr(sds_version()).to_str().is_ok());
    }
    assert_eq!(sds_abi_version(), SDS_ABI_VERSION);
    let mut told = Told::from(input)?;
    // Logging costs more than the rest, and writes over what the fuzzer says: off, or a number that is no level.
    let level = if code.is_multiple_of(2) { SDS_LOG_OFF } else { SDS_LOG_DEBUG.saturating_add(code) };
    // SAFETY: as for `tick`.
    let status = unsafe { sds_set_log_level(level, told.pointer()) };
    told.check(status);
    Ok(())
}

fn free(world: &mut World) -> Result<()> {
    // SAFETY: NULL, and a buffer of ours, twice.
    unsafe {
        sds_buffer_free(ptr::null_mut());
        sds_buffer_free(&raw mut world.out);
        sds_buffer_free(&raw mut world.out);
    }
    assert!(world.out_bytes().is_empty());
    Ok(())
}

/// Closes everything. In a test only what is ours, since others run side by side.
fn shutdown(world: &mut World, input: &mut Unstructured<'_>) -> Result<()> {
    let mut told = Told::from(input)?;
    let open = std::mem::take(&mut world.open);
    if cfg!(test) {
        for manager in &open {
            // SAFETY: as for `tick`.
            let status = unsafe { sds_manager_close(*manager, told.pointer()) };
            told.check(status);
        }
    } else {
        // SAFETY: as for `tick`.
        let status = unsafe { sds_shutdown(told.pointer()) };
        told.check(status);
    }
    world.closed.extend(open);
    Ok(())
}
