// Runs the engine's tests that were compiled for WebAssembly: `node run.mjs SUITES.wasm`. One that traps failed.
import { readdir, readFile } from "node:fs/promises";

const tests = new URL("../../tests/", import.meta.url);
const module = await WebAssembly.compile(await readFile(process.argv[2]));
const names = WebAssembly.Module.exports(module)
  .map(({ name }) => name)
  .filter((name) => name.startsWith("test:"))
  .sort();

let failed = 0;
for (const name of names) {
  let text = "";
  let memory;
  const panicked = (at, length) => (text = new TextDecoder().decode(new Uint8Array(memory.buffer, at, length)));
  const { exports } = await WebAssembly.instantiate(module, { suites: { panicked } });
  memory = exports.memory;
  try {
    exports[name]();
  } catch (error) {
    failed += 1;
    console.error(`FAILED ${name.slice(5)}\n${text || error.stack}\n`);
  }
}

// Each `#[test]` of the suites has to be among them.
let written = 0;
const suites = (await readdir(tests, { recursive: true })).filter((path) => /^(rfc|decisions|vectors)(\/|\.rs).*|^vectors\.rs$/.test(path));
for (const path of suites.filter((path) => path.endsWith(".rs"))) {
  written += (await readFile(new URL(path, tests), "utf8")).match(/^\s*#\[test\]$/gm)?.length ?? 0;
}
if (written !== names.length) {
  console.error(`${written} tests are written, and ${names.length} were compiled`);
  failed += 1;
}
console.log(`${names.length} of the engine's tests under WebAssembly, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
