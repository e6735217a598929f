//! `sds-bindgen IN.wasm OUT_FOLDER`: writes the JavaScript module, its types, and the .wasm that goes with them.

use std::process::ExitCode;

use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [input, output] = arguments.as_slice() else {
        eprintln!("usage: sds-bindgen IN.wasm OUT_FOLDER");
        return ExitCode::from(2);
    };
    let mut bindgen = Bindgen::new();
    // A module that is told where its .wasm is, or given it: browsers, bundlers and Node all can do that.
    match bindgen
        .input_path(input)
        .web(true)
        .and_then(|bindgen| bindgen.out_name("sds").typescript(true).generate(output))
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sds-bindgen: {error:#}");
            ExitCode::FAILURE
        }
    }
}
