//! What stands between C and the engine: no panic crosses, and every failure becomes a status and a text.

use std::ffi::c_char;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use super::status::sds_status_t;
use crate::error::Error;

/// Bytes for the text of an error, the final NUL included.
pub const SDS_ERROR_TEXT_SIZE: usize = 256;

/// The detail of a failed call, in memory of the caller. Set `size` to `sizeof(sds_error_t)` once; the rest is written
/// only when a call fails.
#[allow(non_camel_case_types)]
#[repr(C)]
pub struct sds_error_t {
    /// `sizeof(sds_error_t)`, set by the caller.
    pub size: usize,
    /// The status that the call returned.
    pub status: i32,
    /// What was wrong, in English, UTF-8, ending in NUL, cut at a character if it is longer.
    pub text: [c_char; SDS_ERROR_TEXT_SIZE],
}

/// Why a call fails: the status and what to say.
pub(super) struct Failure {
    status: sds_status_t,
    detail: String,
}

impl Failure {
    pub(super) fn new(status: sds_status_t, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into() }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::new((&error).into(), error.to_string())
    }
}

/// Runs the body of a C function: panics become `SDS_PANIC`, failures are written to `error`.
///
/// # Safety
/// `error` is NULL or points to a writable `sds_error_t` whose `size` is set.
pub(super) unsafe fn guard(error: *mut sds_error_t, body: impl FnOnce() -> Result<(), Failure>) -> sds_status_t {
    // Sound to go on after a panic: a handle that was in use is poisoned while unwinding (see `handle::with`).
    let failure = match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => return sds_status_t::SDS_OK,
        Ok(Err(failure)) => failure,
        Err(payload) => {
            let text = payload.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("no text");
            Failure::new(sds_status_t::SDS_PANIC, format!("internal panic: {text}"))
        }
    };
    // SAFETY: forwarded from the caller.
    unsafe { write_error(error, &failure) };
    failure.status
}

/// # Safety
/// As for [`guard`].
unsafe fn write_error(error: *mut sds_error_t, failure: &Failure) {
    // SAFETY: not NULL, so it points to an `sds_error_t` of the caller; only its `size` is read.
    if error.is_null() || unsafe { (*error).size } < size_of::<sds_error_t>() {
        return;
    }
    let mut end = failure.detail.len().min(SDS_ERROR_TEXT_SIZE - 1);
    while !failure.detail.is_char_boundary(end) {
        end -= 1;
    }
    // SAFETY: the caller's structure is at least as large as ours, `end` is under the size of `text`, and the two
    // regions are distinct: one is our own heap.
    unsafe {
        (*error).status = failure.status as i32;
        let text = (&raw mut (*error).text).cast::<u8>();
        ptr::copy_nonoverlapping(failure.detail.as_ptr(), text, end);
        text.add(end).write(0);
    }
}
