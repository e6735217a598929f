//! Arguments of C calls out of bytes, among them all that the contract lets a host get wrong.

use std::ffi::c_char;
use std::ptr;

use arbitrary::{Result, Unstructured};

use crate::ffi::guard::sds_error_t;
use crate::ffi::{sds_buffer_t, sds_status_t};

/// A pointer and a length. The pointer is NULL or has `len` bytes, unless the length is one that nothing can have.
pub(super) struct Slice {
    bytes: Vec<u8>,
    is_null: bool,
    len: usize,
}

impl Slice {
    pub fn of(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self { is_null: false, len: bytes.len(), bytes }
    }

    /// The bytes, or one of the ways in which a host passes none.
    fn spoilt(bytes: Vec<u8>, how: u8) -> Self {
        let mut slice = Self::of(bytes);
        match how {
            0 => (slice.is_null, slice.len) = (true, 0),
            1 => slice.is_null = true,
            2 => slice.len += isize::MAX as usize + 1,
            3 => slice.len = 0,
            _ => {}
        }
        slice
    }

    pub fn data(&self) -> *const u8 {
        if self.is_null { ptr::null() } else { self.bytes.as_ptr() }
    }

    pub fn text(&self) -> *const c_char {
        self.data().cast()
    }

    pub fn len(&self) -> usize {
        self.len
    }
}

pub(super) fn byte(input: &mut Unstructured<'_>) -> Result<u8> {
    input.arbitrary()
}

/// A channel id: mostly a sound one.
pub(super) fn channel(input: &mut Unstructured<'_>) -> Result<Slice> {
    let number = byte(input)?;
    Ok(match number {
        0..=199 => Slice::of("garden"),
        200..=219 => Slice::of("kitchen"),
        _ => hostile_text(input, number)?,
    })
}

/// A message id: a few names, those that exist, or anything.
pub(super) fn id(input: &mut Unstructured<'_>, known: &[Vec<u8>]) -> Result<Slice> {
    let number = byte(input)?;
    Ok(match number {
        0..=99 => Slice::of(format!("m{}", number % 16)),
        100..=179 => {
            let back = usize::from(number - 100) % known.len().max(1);
            Slice::of(known.iter().rev().nth(back).cloned().unwrap_or_default())
        }
        // None: to be derived, where that is possible.
        180..=209 => Slice::spoilt(Vec::new(), 0),
        _ => hostile_text(input, number)?,
    })
}

fn hostile_text(input: &mut Unstructured<'_>, number: u8) -> Result<Slice> {
    let text = match number % 5 {
        0 => vec![0xc3, 0x28],
        1 => "t".repeat(257).into_bytes(),
        2 => "☂".into(),
        3 => b"a\0b".to_vec(),
        _ => Vec::new(),
    };
    Ok(Slice::spoilt(text, byte(input)? % 6))
}

/// Content, or any other bytes.
pub(super) fn content(input: &mut Unstructured<'_>) -> Result<Slice> {
    let length = usize::from(byte(input)?);
    Ok(match length {
        0..=127 => Slice::of(vec![b'x'; length]),
        128..=199 => {
            let length = (length - 128).min(input.len());
            Slice::of(input.bytes(length)?)
        }
        200..=239 => Slice::of(vec![b'x'; length * 200]),
        _ => Slice::spoilt(vec![b'x'; 3], length as u8 % 5),
    })
}

/// Any number, most of them small or at an end.
pub(super) fn number(input: &mut Unstructured<'_>) -> Result<u64> {
    let kind = byte(input)?;
    Ok(match kind {
        0..=127 => u64::from(kind),
        128..=159 => u64::from(input.arbitrary::<u16>()?),
        160..=191 => u64::from(input.arbitrary::<u32>()?),
        192..=199 => u64::MAX - u64::from(kind - 192),
        200..=207 => f64::from(kind - 200).recip().to_bits(),
        208 => f64::NAN.to_bits(),
        209 => (-1.0f64).to_bits(),
        210 => 10f64.powi(-4).to_bits(),
        _ => input.arbitrary()?,
    })
}

/// A buffer for results: one that is used over and over, none, or one that cannot be.
pub(super) enum Out {
    Own,
    Null,
    Impossible(sds_buffer_t),
}

pub(super) fn out(input: &mut Unstructured<'_>) -> Result<Out> {
    Ok(match byte(input)? {
        255 => Out::Null,
        254 => Out::Impossible(sds_buffer_t { data: ptr::null_mut(), len: 3, capacity: 5 }),
        // Refused before anything is done with its data.
        253 => Out::Impossible(sds_buffer_t { data: ptr::dangling_mut(), len: 3, capacity: 0 }),
        _ => Out::Own,
    })
}

/// What a call is to write its failure to, and what it must look like afterwards.
pub(super) struct Told {
    error: sds_error_t,
    is_null: bool,
}

/// No status is this number.
const UNTOUCHED: i32 = -1;

impl Told {
    pub fn from(input: &mut Unstructured<'_>) -> Result<Self> {
        let how = byte(input)?;
        let size = match how {
            // One that a later library might know, and one that none ever knew.
            254 => size_of::<sds_error_t>() + 8,
            253 => 8,
            _ => size_of::<sds_error_t>(),
        };
        // SAFETY: numbers, for which all zero bits are valid.
        let mut error: sds_error_t = unsafe { std::mem::zeroed() };
        (error.size, error.status) = (size, UNTOUCHED);
        Ok(Self { error, is_null: how == 255 })
    }

    pub fn pointer(&mut self) -> *mut sds_error_t {
        if self.is_null { ptr::null_mut() } else { &raw mut self.error }
    }

    /// Holds what was told against the status that was returned.
    pub fn check(&self, status: sds_status_t) {
        assert!(!matches!(status, sds_status_t::SDS_PANIC | sds_status_t::SDS_POISONED), "{}", self.text());
        let is_written = status != sds_status_t::SDS_OK && !self.is_null && self.error.size >= size_of::<sds_error_t>();
        let wanted = if is_written { status as i32 } else { UNTOUCHED };
        assert_eq!(self.error.status, wanted, "{}", self.text());
        assert!(!is_written || !self.text().is_empty(), "{status:?} says nothing");
    }

    fn text(&self) -> String {
        let bytes: Vec<u8> = self.error.text.iter().map(|c| *c as u8).take_while(|byte| *byte != 0).collect();
        assert!(bytes.len() < self.error.text.len(), "it ends in NUL");
        String::from_utf8(bytes).expect("texts are UTF-8")
    }
}
