//! Calls of the target `ffi` about messages.

use std::ptr;

use arbitrary::{Result, Unstructured};

use super::args::{Slice, Told, byte, channel, content, id, out};
use super::calls::UNTOUCHED;
use super::world::{SDS_OK, World, keep};
use crate::ffi::guard::sds_error_t;
use crate::ffi::*;

type Wrap = unsafe extern "C" fn(
    sds_manager_t,
    *const std::ffi::c_char,
    usize,
    *const std::ffi::c_char,
    usize,
    *const u8,
    usize,
    u64,
    *mut sds_buffer_t,
    *mut sds_error_t,
) -> sds_status_t;

pub(super) fn wrap(world: &mut World, input: &mut Unstructured<'_>, call: Wrap) -> Result<()> {
    let (manager, mut told) = (world.handle(byte(input)?), Told::from(input)?);
    let (place, id, content, mut result) = (channel(input)?, id(input, &world.ids)?, content(input)?, out(input)?);
    let (before, now_ms) = (world.out.len, world.now_ms);
    let out = world.out(&mut result);
    let (text, len) = (place.text(), place.len());
    // SAFETY: as above; texts and bytes are there, NULL, or of a length that cannot be.
    let status = unsafe {
        call(manager, text, len, id.text(), id.len(), content.data(), content.len(), now_ms, out, told.pointer())
    };
    told.check(status);
    assert!(status == SDS_OK || world.out.len == before);
    world.read_out(status, &result);
    Ok(())
}

pub(super) fn wrap_into(world: &mut World, input: &mut Unstructured<'_>) -> Result<()> {
    let (manager, mut told) = (world.handle(byte(input)?), Told::from(input)?);
    let (place, id, content, mut result) = (channel(input)?, id(input, &world.ids)?, content(input)?, out(input)?);
    let how = byte(input)?;
    let mut memory = vec![0; usize::from(how) * 200];
    let data = if how == 255 { ptr::null_mut() } else { memory.as_mut_ptr() };
    let (before, now_ms, mut len) = (world.out.len, world.now_ms, UNTOUCHED as usize);
    let out = world.out(&mut result);
    // SAFETY: as for `wrap`; `memory` has its length.
    let status = unsafe {
        sds_wrap_outgoing_into(
            manager,
            place.text(),
            place.len(),
            id.text(),
            id.len(),
            content.data(),
            content.len(),
            now_ms,
            data,
            memory.len(),
            &raw mut len,
            out,
            told.pointer(),
        )
    };
    told.check(status);
    if status == SDS_OK {
        world.read_out(status, &result);
        // None, if they are held back.
        if (1..=memory.len()).contains(&len) {
            keep(&mut world.packets, memory[..len].to_vec());
        }
    } else {
        assert_eq!((world.out.len, len), (before, UNTOUCHED as usize));
    }
    Ok(())
}

/// A message on the network, a damaged one, or anything.
fn packet(world: &World, input: &mut Unstructured<'_>) -> Result<Slice> {
    let number = byte(input)?;
    let back = usize::from(number) % world.packets.len().max(1);
    let Some(packet) = world.packets.iter().rev().nth(back).filter(|_| number < 220) else {
        return content(input);
    };
    let mut packet = packet.clone();
    if number >= 160 {
        let at = usize::from(input.arbitrary::<u16>()?) % packet.len();
        packet[at] ^= byte(input)?;
    }
    Ok(Slice::of(packet))
}

pub(super) fn unwrap(world: &mut World, input: &mut Unstructured<'_>) -> Result<()> {
    let (manager, mut told) = (world.handle(byte(input)?), Told::from(input)?);
    let (bytes, mut result) = (packet(world, input)?, out(input)?);
    let (before, now_ms) = (world.out.len, world.now_ms);
    let out = world.out(&mut result);
    // SAFETY: as for `wrap`.
    let status = unsafe { sds_unwrap_incoming(manager, bytes.data(), bytes.len(), now_ms, out, told.pointer()) };
    told.check(status);
    assert!(status == SDS_OK || world.out.len == before);
    world.read_out(status, &result);
    Ok(())
}

pub(super) fn unwrap_batch(world: &mut World, input: &mut Unstructured<'_>) -> Result<()> {
    let (manager, mut told) = (world.handle(byte(input)?), Told::from(input)?);
    let (mut data, mut lengths) = (Vec::new(), Vec::new());
    for _ in 0..byte(input)? % 5 {
        let back = usize::from(byte(input)?) % world.packets.len().max(1);
        if let Some(packet) = world.packets.iter().rev().nth(back) {
            data.extend_from_slice(packet);
            lengths.push(packet.len());
        }
    }
    let how = byte(input)?;
    // A length of its own, which is refused before anything is read by it.
    if how == 255 {
        lengths.extend([usize::MAX, 1]);
    }
    let list = if how == 254 { ptr::null() } else { lengths.as_ptr() };
    let count = if how == 253 { usize::MAX } else { lengths.len() };
    let (mut result, now_ms, before) = (out(input)?, world.now_ms, world.out.len);
    let out = world.out(&mut result);
    // SAFETY: as for `wrap`; a count beyond the lengths is one that nothing can have.
    let status = unsafe { sds_unwrap_incoming_batch(manager, data.as_ptr(), list, count, now_ms, out, told.pointer()) };
    told.check(status);
    assert!(status == SDS_OK || world.out.len == before);
    world.read_out(status, &result);
    Ok(())
}

pub(super) fn mark(world: &mut World, input: &mut Unstructured<'_>) -> Result<()> {
    let (manager, mut told, place) = (world.handle(byte(input)?), Told::from(input)?, channel(input)?);
    let (mut ids, mut lengths) = (Vec::new(), Vec::new());
    for _ in 0..byte(input)? % 5 {
        let number = byte(input)?;
        let id = if number == 255 { vec![0xff] } else { format!("m{}", number % 16).into_bytes() };
        lengths.push(id.len());
        ids.extend_from_slice(&id);
    }
    let list = if byte(input)? == 255 { ptr::null() } else { lengths.as_ptr() };
    let (text, len) = (place.text(), place.len());
    // SAFETY: as for `wrap`; the ids have the lengths told.
    let status = unsafe {
        let ids = ids.as_ptr().cast();
        sds_mark_dependencies_met(manager, text, len, ids, list, lengths.len(), world.now_ms, told.pointer())
    };
    told.check(status);
    Ok(())
}

pub(super) fn hint(world: &mut World, input: &mut Unstructured<'_>) -> Result<()> {
    let (manager, mut told, place) = (world.handle(byte(input)?), Told::from(input)?, channel(input)?);
    let (id, hint) = (id(input, &world.ids)?, content(input)?);
    let (text, len) = (place.text(), place.len());
    // SAFETY: as for `wrap`.
    let status = unsafe {
        let (hint, hint_len) = (hint.data(), hint.len());
        sds_set_retrieval_hint(manager, text, len, id.text(), id.len(), hint, hint_len, told.pointer())
    };
    told.check(status);
    Ok(())
}

pub(super) fn message_status(world: &mut World, input: &mut Unstructured<'_>) -> Result<()> {
    let (manager, mut told, place) = (world.handle(byte(input)?), Told::from(input)?, channel(input)?);
    let (id, mut result) = (id(input, &world.ids)?, out(input)?);
    let pointer = world.out(&mut result);
    let (text, len) = (place.text(), place.len());
    // SAFETY: as for `wrap`.
    let status = unsafe { sds_message_status(manager, text, len, id.text(), id.len(), pointer, told.pointer()) };
    told.check(status);
    world.read_out(status, &result);
    Ok(())
}

type OnMessage = unsafe extern "C" fn(
    sds_manager_t,
    *const std::ffi::c_char,
    usize,
    *const std::ffi::c_char,
    usize,
    u64,
    *mut sds_error_t,
) -> sds_status_t;

pub(super) fn on_message(world: &mut World, input: &mut Unstructured<'_>, call: OnMessage) -> Result<()> {
    let (manager, mut told, place) = (world.handle(byte(input)?), Told::from(input)?, channel(input)?);
    let id = id(input, &world.ids)?;
    let (text, len) = (place.text(), place.len());
    // SAFETY: as for `wrap`.
    let status = unsafe { call(manager, text, len, id.text(), id.len(), world.now_ms, told.pointer()) };
    told.check(status);
    Ok(())
}

pub(super) fn inspect(world: &mut World, input: &mut Unstructured<'_>) -> Result<()> {
    let (mut told, bytes, mut result) = (Told::from(input)?, packet(world, input)?, out(input)?);
    // SAFETY: a structure of numbers, for which all zero bits are valid.
    let mut inspection: sds_inspection_t = unsafe { std::mem::zeroed() };
    let how = byte(input)?;
    inspection.size = if how == 255 { 4 } else { size_of::<sds_inspection_t>() };
    let numbers = if how == 254 { ptr::null_mut() } else { &raw mut inspection };
    let pointer = world.out(&mut result);
    // SAFETY: as for `wrap`.
    let status = unsafe { sds_inspect(bytes.data(), bytes.len(), numbers, pointer, told.pointer()) };
    told.check(status);
    assert!(status == SDS_OK || inspection.profile == 0);
    world.read_out(status, &result);
    Ok(())
}
