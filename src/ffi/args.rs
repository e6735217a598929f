//! From C's pointers to checked Rust values.

use std::ffi::c_char;
use std::marker::PhantomData;
use std::ptr::NonNull;
use std::slice;

use super::guard::Failure;
use super::status::sds_status_t;

/// Borrows `len` bytes at `data`. NULL is the empty slice if `len` is 0, and an error otherwise.
///
/// # Safety
/// If `data` is not NULL and `len` fits an `isize`, `len` bytes at `data` are readable and unchanged for `'a`.
pub(super) unsafe fn bytes<'a>(data: *const u8, len: usize, what: &str) -> Result<&'a [u8], Failure> {
    if len == 0 {
        return Ok(&[]);
    }
    if data.is_null() {
        return Err(invalid(format!("{what} is NULL with a length of {len}")));
    }
    if isize::try_from(len).is_err() {
        return Err(invalid(format!("{what} has an impossible length of {len}")));
    }
    // SAFETY: not NULL, and readable for `len` bytes by the caller's contract.
    Ok(unsafe { slice::from_raw_parts(data, len) })
}

/// Borrows a text of `len` bytes and checks that it is UTF-8.
///
/// # Safety
/// As for [`bytes`].
pub(super) unsafe fn text<'a>(data: *const c_char, len: usize, what: &str) -> Result<&'a str, Failure> {
    // SAFETY: forwarded from the caller.
    let bytes = unsafe { bytes(data.cast(), len, what) }?;
    std::str::from_utf8(bytes).map_err(|_| Failure::new(sds_status_t::SDS_NOT_UTF8, format!("{what} is not UTF-8")))
}

/// Borrows `count` items that lie one after the other in `data`, their lengths in `lengths`.
///
/// # Safety
/// If `lengths` is not NULL, `count` numbers at it are readable; `data` holds as many bytes as they add up to.
pub(super) unsafe fn items<'a>(
    data: *const u8,
    lengths: *const usize,
    count: usize,
    what: &str,
) -> Result<Vec<&'a [u8]>, Failure> {
    if count == 0 {
        return Ok(Vec::new());
    }
    if lengths.is_null() {
        return Err(invalid(format!("lengths of {what} are NULL with a count of {count}")));
    }
    if count > isize::MAX as usize / size_of::<usize>() {
        return Err(invalid(format!("impossible count of {count} {what}")));
    }
    // SAFETY: not NULL, and readable for `count` numbers by the caller's contract.
    let lengths = unsafe { slice::from_raw_parts(lengths, count) };
    let total = lengths
        .iter()
        .try_fold(0usize, |sum, &len| sum.checked_add(len))
        .ok_or_else(|| invalid(format!("lengths of {what} add up to more than memory")))?;
    // SAFETY: forwarded from the caller.
    let mut rest = unsafe { bytes(data, total, what) }?;
    Ok(lengths
        .iter()
        .map(|&len| {
            let (item, tail) = rest.split_at(len);
            rest = tail;
            item
        })
        .collect())
}

/// Where a call writes a number or a structure. No reference: the memory may overlap with other memory of the call, and
/// holds nothing yet. Made only by the functions below, whose callers promise that it is the caller's for `'a`.
pub(super) struct Out<'a, T> {
    pointer: NonNull<T>,
    lives: PhantomData<&'a T>,
}

impl<T: Copy> Out<'_, T> {
    pub(super) fn set(&self, value: T) {
        // SAFETY: not NULL, and writable for a `T` while we live, as was promised where we were made.
        unsafe { self.pointer.write_unaligned(value) }
    }
}

impl Out<'_, usize> {
    /// The number that is there before the call.
    pub(super) fn get(&self) -> usize {
        // SAFETY: not NULL, and readable while we live, as was promised where we were made; any bits make a number.
        unsafe { self.pointer.read_unaligned() }
    }
}

/// Where a result goes, if the caller wants it.
///
/// # Safety
/// If it is not NULL, a `T` at it can be read and written, and no other thread uses it, for `'a`.
pub(super) unsafe fn optional_output<'a, T>(pointer: *mut T) -> Option<Out<'a, T>> {
    NonNull::new(pointer).map(|pointer| Out { pointer, lives: PhantomData })
}

/// Where a result goes: a pointer that must not be NULL.
///
/// # Safety
/// As for [`optional_output`].
pub(super) unsafe fn output<'a, T>(pointer: *mut T, what: &str) -> Result<Out<'a, T>, Failure> {
    // SAFETY: forwarded from the caller.
    unsafe { optional_output(pointer) }.ok_or_else(|| invalid(format!("{what} is NULL")))
}

/// A structure that begins with its size in bytes, so that later versions can add fields at its end.
///
/// # Safety
/// The implementor is `repr(C)`, starts with a `usize`, and is valid for any bit pattern.
pub(super) unsafe trait Versioned: Copy {}

/// Checks the size that the caller wrote at the start of its structure.
///
/// # Safety
/// If `pointer` is not NULL, a `usize` at it is readable.
unsafe fn check_size<T: Versioned>(pointer: *const T, what: &str) -> Result<(), Failure> {
    if pointer.is_null() {
        return Err(invalid(format!("{what} is NULL")));
    }
    // SAFETY: not NULL; every such structure begins with its size.
    let size = unsafe { pointer.cast::<usize>().read_unaligned() };
    if size != size_of::<T>() {
        let known = size_of::<T>();
        let detail = format!("size of {what} is {size}, this library knows {known}");
        return Err(Failure::new(sds_status_t::SDS_INVALID_SIZE, detail));
    }
    Ok(())
}

/// Reads a structure of the caller's.
///
/// # Safety
/// If `pointer` is not NULL, it points to a structure whose first field tells its true size.
pub(super) unsafe fn read_sized<T: Versioned>(pointer: *const T, what: &str) -> Result<T, Failure> {
    // SAFETY: forwarded from the caller.
    unsafe { check_size(pointer, what) }?;
    // SAFETY: as large as a `T`, and any bits make a valid one.
    Ok(unsafe { pointer.read_unaligned() })
}

/// Reads structures of the caller's that lie one after the other, each beginning with its size.
///
/// # Safety
/// If `pointer` is not NULL, `count` structures lie at it, of the size that the first field of each tells.
pub(super) unsafe fn read_all_sized<T: Versioned>(
    pointer: *const T,
    count: usize,
    what: &str,
) -> Result<Vec<T>, Failure> {
    if count == 0 {
        return Ok(Vec::new());
    }
    if pointer.is_null() {
        return Err(invalid(format!("{what} are NULL with a count of {count}")));
    }
    if count > isize::MAX as usize / size_of::<T>() {
        return Err(invalid(format!("impossible count of {count} {what}")));
    }
    // SAFETY: those before were as large as a `T`, and there are `count` of them.
    (0..count).map(|index| unsafe { read_sized(pointer.wrapping_add(index), what) }).collect()
}

/// Checks a structure of the caller's that is written later.
///
/// # Safety
/// If `pointer` is not NULL, it points to a structure whose first field tells its true size, used by nobody else.
pub(super) unsafe fn output_sized<'a, T: Versioned>(pointer: *mut T, what: &str) -> Result<Out<'a, T>, Failure> {
    // SAFETY: forwarded from the caller.
    unsafe { check_size(pointer, what) }?;
    // SAFETY: as large as a `T`, and ours for the call.
    unsafe { output(pointer, what) }
}

pub(super) fn invalid(detail: String) -> Failure {
    Failure::new(sds_status_t::SDS_INVALID_ARGUMENT, detail)
}

/// Memory of the caller's to write to.
///
/// # Safety
/// If `data` is not NULL and `len` fits an `isize`, `len` bytes at `data` are writable, and nobody else uses them.
pub(super) unsafe fn memory<'a>(data: *mut u8, len: usize, what: &str) -> Result<&'a mut [u8], Failure> {
    check_memory(data, len, what)?;
    if len == 0 {
        return Ok(&mut []);
    }
    // SAFETY: not NULL, and writable for `len` bytes by the caller's contract. What C left in it are some bytes, whichever;
    // they are written and never read.
    Ok(unsafe { slice::from_raw_parts_mut(data, len) })
}

/// Refuses memory that cannot be any, without borrowing it: what else lies there may still be in use.
pub(super) fn check_memory(data: *mut u8, len: usize, what: &str) -> Result<(), Failure> {
    if len != 0 && (data.is_null() || isize::try_from(len).is_err()) {
        return Err(invalid(format!("{what} is NULL or impossible with a length of {len}")));
    }
    Ok(())
}
