import init from "./wasm/sds.js";

/** A .wasm, or where it is: an address, the bytes, or a response with them. */
export type WasmSource = string | URL | Request | Response | BufferSource | WebAssembly.Module;

let loading: Promise<void> | undefined;
let find: (() => Promise<WasmSource> | WasmSource) | undefined;

/**
 * Says where the engine's .wasm comes from, if not from beside the module: for who serves it from elsewhere. Has to be called
 * before anything else.
 */
export function setWasmSource(from: () => Promise<WasmSource> | WasmSource): void {
  find = from;
}

/** Loads the engine, which `open` and `create` do by themselves. What failed can be tried again. */
export function load(): Promise<void> {
  loading ??= begin().catch((error: unknown) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

async function begin(): Promise<void> {
  // Bundlers know this form, and bring the file along.
  const beside = () => new URL("./wasm/sds_bg.wasm", import.meta.url);
  await init({ module_or_path: await (find ?? beside)() });
}
