//! Tests of the engine that need nothing of the system, compiled for WebAssembly: the recorded vectors, RFC 109 row by row, and
//! what was decided beyond it. `run.mjs` calls each in an instance of its own.

// Comes before the standard one of that name.
#[macro_use]
extern crate sds_suites_attribute;

// Each suite has one of its own, too; this is the one that their parts name.
#[path = "../../../tests/common/mod.rs"]
mod common;
#[path = "../../../tests/decisions/main.rs"]
mod decisions;
#[path = "../../../tests/rfc/main.rs"]
mod rfc;
#[path = "../../../tests/vectors.rs"]
mod vectors;

#[link(wasm_import_module = "suites")]
unsafe extern "C" {
    /// Takes the text of a panic, which ends the instance.
    fn panicked(text: *const u8, len: usize);
}

/// Each test begins with it: its panic is told.
fn begin() {
    std::panic::set_hook(Box::new(|panic| {
        let text = panic.to_string();
        // SAFETY: the text outlives the call, which only reads it.
        unsafe { panicked(text.as_ptr(), text.len()) }
    }));
}
