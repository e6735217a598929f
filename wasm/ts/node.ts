// What Node loads: the same, but for where the .wasm comes from.
import { readFile } from "node:fs/promises";

import { setWasmSource } from "./load.js";

setWasmSource(() => readFile(new URL("./wasm/sds_bg.wasm", import.meta.url)));

export * from "./index.js";
