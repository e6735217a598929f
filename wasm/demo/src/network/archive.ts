import { hex } from "../bytes.js";

const MOST = 2_000;

/** The messages that came by lately, by their hashes: what this tab can give to others who ask for them. */
export class Archive {
  readonly #payloads = new Map<string, Uint8Array>();

  keep(hash: Uint8Array, payload: Uint8Array): void {
    this.#payloads.set(hex(hash), payload);
    const [oldest] = this.#payloads.keys();
    if (this.#payloads.size > MOST && oldest !== undefined) this.#payloads.delete(oldest);
  }

  /** Those that are here. */
  pick(hashes: readonly Uint8Array[]): Uint8Array[] {
    return hashes.flatMap((hash) => this.#payloads.get(hex(hash)) ?? []);
  }
}
