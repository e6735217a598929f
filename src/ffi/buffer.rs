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

/// Where something lies in memory, by its addresses alone.
#[derive(Clone, Copy)]
pub(super) struct Span {
    from: usize,
    len: usize,
}

impl Span {
    /// `len` bytes at `data`.
    pub(super) fn new(data: *const u8, len: usize) -> Self {
        Self { from: data.addr(), len: if data.is_null() { 0 } else { len } }
    }

    /// A number or a structure, if there is one.
    pub(super) fn of<T>(pointer: *const T) -> Self {
        Self::new(pointer.cast(), size_of::<T>())
    }

    fn overlaps(self, other: Self) -> bool {
        let end = |span: Self| span.from.saturating_add(span.len);
        self.len != 0 && other.len != 0 && self.from < end(other) && other.from < end(self)
    }
}

/// The buffer that a call writes to, checked before the call changes anything. Neither what the call reads nor what else it
/// writes must lie in it, since its data may move, and be freed where it was; nor it in its own data.
///
/// # Safety
/// If `pointer` is not NULL, it points to a buffer that no other call uses for `'a`.
pub(super) unsafe fn writable<'a>(
    pointer: *mut sds_buffer_t,
    read: &[&[u8]],
    written: &[Span],
) -> Result<&'a mut sds_buffer_t, Failure> {
    if pointer.is_null() {
        return Err(invalid("out is NULL".to_owned()));
    }
    // SAFETY: not NULL, so it is a buffer of the caller's, which can be read.
    let (data, capacity) = unsafe { ((*pointer).data, (*pointer).capacity) };
    check(data, capacity)?;
    let (itself, data) = (Span::of(pointer), Span::new(data, capacity));
    let is_in = |span: Span| span.overlaps(data) || span.overlaps(itself);
    if read.iter().any(|bytes| is_in(Span::new(bytes.as_ptr(), bytes.len()))) {
        return Err(invalid("out holds memory that the call reads".to_owned()));
    }
    if written.iter().any(|span| is_in(*span)) || itself.overlaps(data) {
        return Err(invalid("out holds memory that the call writes to besides".to_owned()));
    }
    // SAFETY: by the caller's contract, and nothing else that is borrowed lies in it.
    Ok(unsafe { &mut *pointer })
}

/// Refuses a buffer that cannot be one: before a call changes anything.
fn check(data: *mut u8, capacity: usize) -> Result<(), Failure> {
    if data.is_null() != (capacity == 0) {
        return Err(invalid("buffer has a capacity that does not fit its data".to_owned()));
    }
    Ok(())
}

impl sds_buffer_t {
    /// The first `len` bytes of room, grown if need be. `self.len` stays.
    pub(super) fn room(&mut self, len: usize) -> Result<&mut [u8], Failure> {
        check(self.data, self.capacity)?;
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
