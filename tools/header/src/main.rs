//! Writes the C header from `src/ffi` to the path given, or compares: `sds-header --check include/sds.h`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (check, path) = match arguments.as_slice() {
        [path] => (false, path),
        [flag, path] if flag == "--check" => (true, path),
        _ => {
            eprintln!("usage: sds-header [--check] PATH");
            return ExitCode::from(2);
        }
    };
    match generate() {
        Err(problem) => fail(&problem),
        Ok(header) if check => compare(&header, Path::new(path)),
        Ok(header) => match std::fs::write(path, header) {
            Err(problem) => fail(&format!("{path}: {problem}")),
            Ok(()) => ExitCode::SUCCESS,
        },
    }
}

/// Only `src/ffi` is read: what the rest of the crate makes public to Rust is no part of the ABI.
fn generate() -> Result<Vec<u8>, String> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let config = cbindgen::Config::from_file(root.join("cbindgen.toml"))?;
    let builder = cbindgen::Builder::new().with_config(config).with_src(root.join("src/ffi/mod.rs"));
    let bindings = builder.generate().map_err(|problem| problem.to_string())?;
    let mut header = Vec::new();
    bindings.write(&mut header);
    Ok(header)
}

fn compare(header: &[u8], path: &Path) -> ExitCode {
    match std::fs::read(path) {
        Ok(committed) if committed == header => ExitCode::SUCCESS,
        Ok(_) => fail(&format!("{} is not what src/ffi says: run `make header` and commit it", path.display())),
        Err(problem) => fail(&format!("{}: {problem}", path.display())),
    }
}

fn fail(problem: &str) -> ExitCode {
    eprintln!("sds-header: {problem}");
    ExitCode::FAILURE
}
