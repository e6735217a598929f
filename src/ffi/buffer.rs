//! Memory of the caller's that the library grows.

use std::ptr;
use std::slice;

use super::args::invalid;
use super::guard::Failure;
use super::status::sds_status_t;

/// Bytes that a call writes its result to. Begin with `{ NULL, 0, 0 }`, use it again for as many calls as you like, and
/// free it with `sds_buffer_free`.
///
/// `data` is NULL or comes from `malloc`; a call that needs more than `capacity` grows it with `realloc`, so that `data`
/// may move. `len` is set by calls that succeed; what was in the buffer before is overwritten.
///
/// Threading: one call at a time may use a buffer.
#[allow(non_camel_case_types)]
#[repr(C)]
pub struct sds_buffer_t {
    /// The bytes, owned by the caller.
    pub data: *mut u8,
    /// How many of them are the result.
    pub len: usize,
    /// How many `data` has room for.
    pub capacity: usize,
}

/// The buffer that a call writes to, checked before the call changes anything. What the call reads must not lie in it:
/// it may move while that is in use.
///
/// # Safety
/// If `pointer` is not NULL, it points to a buffer that no other call uses for `'a`.
pub(super) unsafe fn writable<'a>(pointer: *mut sds_buffer_t, read: &[&[u8]]) -> Result<&'a mut sds_buffer_t, Failure> {
    // SAFETY: by the caller's contract.
    let buffer = unsafe { pointer.as_mut() }.ok_or_else(|| invalid("out is NULL".to_owned()))?;
    buffer.check()?;
    if read.iter().any(|bytes| buffer.overlaps(bytes)) {
        return Err(invalid("out holds memory that the call reads".to_owned()));
    }
    Ok(buffer)
}

impl sds_buffer_t {
    fn overlaps(&self, bytes: &[u8]) -> bool {
        let (ours, theirs) = (self.data.addr(), bytes.as_ptr().addr());
        let (our_end, their_end) = (ours.saturating_add(self.capacity), theirs.saturating_add(bytes.len()));
        !bytes.is_empty() && ours < their_end && theirs < our_end
    }

    /// Refuses a buffer that cannot be one: before a call changes anything.
    fn check(&self) -> Result<(), Failure> {
        if self.data.is_null() != (self.capacity == 0) {
            return Err(invalid("buffer has a capacity that does not fit its data".to_owned()));
        }
        Ok(())
    }

    /// The first `len` bytes of room, grown if need be. `self.len` stays.
    pub(super) fn room(&mut self, len: usize) -> Result<&mut [u8], Failure> {
        self.check()?;
        if len > self.capacity {
            self.grow(len)?;
        }
        if self.data.is_null() {
            return Ok(&mut []);
        }
        // SAFETY: `data` has room for `capacity >= len` bytes by the buffer's contract, and is the caller's alone. What C left
        // in it are some bytes, whichever; they are written and never read.
        Ok(unsafe { slice::from_raw_parts_mut(self.data, len) })
    }

    fn grow(&mut self, len: usize) -> Result<(), Failure> {
        let capacity = len.checked_next_power_of_two().unwrap_or(len).max(256);
        // SAFETY: `data` is NULL or from the C allocator, by the buffer's contract.
        let data = unsafe { libc::realloc(self.data.cast(), capacity) }.cast::<u8>();
        if data.is_null() {
            return Err(Failure::new(sds_status_t::SDS_NO_RESOURCES, format!("no memory for {capacity} bytes")));
        }
        // SAFETY: the new room lies between the old capacity and the new one; zeroed, so that it is never read raw.
        unsafe { ptr::write_bytes(data.add(self.capacity), 0, capacity - self.capacity) };
        self.data = data;
        self.capacity = capacity;
        Ok(())
    }
}

/// Frees what a buffer holds and makes it empty.
///
/// Parameters: `buffer`: NULL, or a buffer. An empty one is fine.
///
/// Ownership: `buffer` itself stays the caller's; it can be used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sds_buffer_free(buffer: *mut sds_buffer_t) {
    // SAFETY: NULL, or a buffer of the caller's that no other call uses.
    if let Some(buffer) = unsafe { buffer.as_mut() } {
        // SAFETY: NULL or from the C allocator, by the buffer's contract.
        unsafe { libc::free(buffer.data.cast()) };
        *buffer = sds_buffer_t { data: ptr::null_mut(), len: 0, capacity: 0 };
    }
}
