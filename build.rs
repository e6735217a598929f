//! Names the shared library inside itself, so that programs find it by name and not by the path it was built at. The
//! number is the ABI version: `make symbols-test` compares it with the header's.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    match std::env::var("CARGO_CFG_TARGET_OS").as_deref() {
        Ok("linux" | "android" | "freebsd") => println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libsds.so.1"),
        Ok("macos" | "ios") => println!("cargo::rustc-cdylib-link-arg=-Wl,-install_name,@rpath/libsds.dylib"),
        _ => {}
    }
}
