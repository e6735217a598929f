import { load } from "./load.js";
import type { InspectedMessage } from "./types.js";
import { inspect as inspectBytes } from "./wasm/sds.js";

/**
 * Decodes a message of either profile, without touching any state: what it names, who sent it, how large its filter is.
 *
 * @throws SdsError `NOT_SDS`, `MALFORMED` and others, if it is no acceptable message.
 */
export async function inspect(bytes: Uint8Array): Promise<InspectedMessage> {
  await load();
  return inspectBytes(bytes) as InspectedMessage;
}
