import { Checks } from "./checks.js";
import { load } from "./load.js";
import type { BytesLike, InspectedMessage } from "./types.js";
import { inspect as inspectBytes } from "./wasm/sds.js";

/**
 * Decodes a message of either profile, without touching any state: what it names, who sent it, how large its filter is.
 *
 * @throws SdsError `NOT_SDS`, `MALFORMED` and others, if it is no acceptable message.
 */
export async function inspect(bytes: BytesLike): Promise<InspectedMessage> {
  // What is too large is refused before the engine has room made for it.
  const message = new Checks().message(bytes, "a message");
  await load();
  return inspectBytes(message) as InspectedMessage;
}
