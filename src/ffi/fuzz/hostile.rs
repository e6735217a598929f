//! Calls of the target `ffi` whose arguments are nearly right: memory that overlaps, messages about as large as may be,
//! and records whose lengths lie.

use arbitrary::{Result, Unstructured};

use super::args::{Told, byte};
use super::world::{SDS_OK, World};
use crate::ffi::*;

/// Makes the next call, by a number from 0 to 3.
pub(super) fn call(world: &mut World, input: &mut Unstructured<'_>, number: u8) -> Result<()> {
    match number {
        0 | 1 => overlapping(world, input),
        2 => of_the_largest(world, input),
        _ => lying_lengths(world, input),
    }
}

/// What is read lies in the buffer that is written to, which may move: refused, and nothing is changed.
fn overlapping(world: &mut World, input: &mut Unstructured<'_>) -> Result<()> {
    let (manager, mut told, which) = (world.handle(byte(input)?), Told::from(input)?, byte(input)? % 3);
    let before = world.out_bytes().to_vec();
    if before.is_empty() {
        return Ok(());
    }
    let from = usize::from(input.arbitrary::<u16>()?) % before.len();
    let len = (before.len() - from).min(1 + usize::from(byte(input)?));
    let (place, id, out, now_ms) = ("garden", "m1", &raw mut world.out, world.now_ms);
    let (text, text_len) = (place.as_ptr().cast(), place.len());
    // SAFETY: the bytes lie in the buffer, whose memory is ours; all else is ours or NULL.
    let status = unsafe {
        let bytes: *const u8 = world.out.data.add(from);
        match which {
            0 => sds_unwrap_incoming(manager, bytes, len, now_ms, out, told.pointer()),
            1 => {
                let (id, id_len) = (id.as_ptr().cast(), id.len());
                sds_wrap_outgoing(manager, text, text_len, id, id_len, bytes, len, now_ms, out, told.pointer())
            }
            _ => sds_message_status(manager, text, text_len, bytes.cast(), len, out, told.pointer()),
        }
    };
    told.check(status);
    assert_ne!(status, SDS_OK, "what moves was read");
    assert_eq!(world.out_bytes(), before, "a refused call wrote");
    Ok(())
}

/// A message on the network with a field that nobody knows, so that its size is the limit, or a little more or less.
fn of_the_largest(world: &mut World, input: &mut Unstructured<'_>) -> Result<()> {
    let (manager, mut told) = (world.handle(byte(input)?), Told::from(input)?);
    let (back, by) = (usize::from(byte(input)?), usize::from(byte(input)? % 9));
    let limit = world.config.max_message_bytes;
    let mut bytes = world.packets.iter().rev().nth(back % world.packets.len().max(1)).cloned().unwrap_or_default();
    let size = limit + by - 4;
    // The key of field 500, and its length in three bytes.
    if let Some(rest) = size.checked_sub(bytes.len() + 5) {
        let length = rest as u32;
        bytes.extend([0xa2, 0x1f, length as u8 | 0x80, (length >> 7) as u8 | 0x80, (length >> 14) as u8]);
        bytes.resize(size, 0);
    }
    let (before, now_ms, out) = (world.out.len, world.now_ms, &raw mut world.out);
    // SAFETY: as above.
    let status = unsafe { sds_unwrap_incoming(manager, bytes.as_ptr(), bytes.len(), now_ms, out, told.pointer()) };
    told.check(status);
    assert!(status == SDS_OK || world.out.len == before);
    world.read_out(status, &super::args::Out::Own);
    Ok(())
}

/// Records of the library's, in which four bytes are a length that is one too many, or more than anything has.
fn lying_lengths(world: &mut World, input: &mut Unstructured<'_>) -> Result<()> {
    let mut bytes = world.out_bytes().to_vec();
    let size = bytes.len() as u32;
    let lengths = [0, 1, 3, 4, 8, size.wrapping_sub(1), size, size.wrapping_add(1), i32::MAX as u32, 1 << 31, u32::MAX];
    for _ in 0..=byte(input)? % 3 {
        let at = usize::from(input.arbitrary::<u16>()?) % (bytes.len() + 1);
        let length = lengths[usize::from(byte(input)?) % lengths.len()];
        bytes.iter_mut().skip(at).zip(length.to_le_bytes()).for_each(|(old, new)| *old = new);
    }
    if byte(input)? < 64 {
        bytes.truncate(usize::from(input.arbitrary::<u16>()?));
    }
    let mut at = 0;
    // SAFETY: structures of numbers and raw pointers, for which all zero bits are valid.
    let (mut record, mut entry) = unsafe { (std::mem::zeroed::<sds_record_t>(), std::mem::zeroed::<sds_entry_t>()) };
    (record.size, entry.size) = (size_of::<sds_record_t>(), size_of::<sds_entry_t>());
    // SAFETY: `bytes` has its length, and all else is ours.
    while unsafe { sds_record_next(bytes.as_ptr(), bytes.len(), &raw mut at, &raw mut record) } == SDS_OK {
        assert!(at <= bytes.len());
        let spans = [
            (record.data, record.data_len),
            (record.channel_id.cast(), record.channel_id_len),
            (record.message_id.cast(), record.message_id_len),
            (record.sender_id.cast(), record.sender_id_len),
        ];
        spans.into_iter().for_each(|span| assert!(lies_in(&bytes, span), "a record reaches beyond the bytes"));
        let mut from = 0;
        // SAFETY: the record points into `bytes`.
        while unsafe { sds_entry_next(&raw const record, &raw mut from, &raw mut entry) } == SDS_OK {
            assert!(from <= record.entries_len);
            let spans = [
                (entry.message_id.cast(), entry.message_id_len),
                (entry.retrieval_hint, entry.retrieval_hint_len),
                (entry.sender_id.cast(), entry.sender_id_len),
            ];
            spans.into_iter().for_each(|span| assert!(lies_in(&bytes, span), "an entry reaches beyond the bytes"));
        }
    }
    Ok(())
}

/// Whether a text or bytes, of which there may be none, are part of these.
fn lies_in(bytes: &[u8], (data, len): (*const u8, usize)) -> bool {
    let (start, at) = (bytes.as_ptr() as usize, data as usize);
    len == 0 || at >= start && at.checked_add(len).is_some_and(|end| end <= start + bytes.len())
}
