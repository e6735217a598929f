#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sds::fuzz::run("store", bytes));
