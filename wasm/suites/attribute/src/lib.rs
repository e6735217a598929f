//! `#[test]` for WebAssembly: each test becomes a function that the module exports, for Node to call.

use proc_macro::{TokenStream, TokenTree};

/// What `#[test]` means in the suites: the function, and one exported beside it under the name `test:<file>::<function>`.
#[proc_macro_attribute]
pub fn test(_: TokenStream, function: TokenStream) -> TokenStream {
    let mut words = function.clone().into_iter().filter_map(|token| match token {
        TokenTree::Ident(word) => Some(word),
        _ => None,
    });
    let file = proc_macro::Span::call_site().file();
    let name = words.by_ref().skip_while(|word| word.to_string() != "fn").nth(1);
    let Some(name) = name else { return refused("a test is a function") };
    let before = function.clone().into_iter().take_while(|token| token.to_string() != "fn");
    let attributes: String = before.map(|token| token.to_string()).collect();
    if attributes.contains("should_panic") || attributes.contains("ignore") {
        return refused("what panics ends the module: no should_panic, and no ignore");
    }
    let file = file.rsplit_once("tests/").map_or(&*file, |(_, file)| file);
    let exported = format!(
        "const _: () = {{ #[unsafe(export_name = \"test:{file}::{name}\")] extern \"C\" fn exported() {{ \
         crate::begin(); {name}() }} }};"
    );
    let exported: TokenStream = exported.parse().expect("what is written above");
    function.into_iter().chain(exported).collect()
}

fn refused(why: &str) -> TokenStream {
    format!("compile_error!({why:?});").parse().expect("what is written above")
}
