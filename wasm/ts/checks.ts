// What is checked before it goes into the engine, whose bindings take anything: text as bytes would be sent as zeros, and a
// number as text reads beyond the engine's memory. TypeScript does not see what comes from JavaScript, or as `any`.
import type { SdsConfig } from "./config.js";
import { SdsError } from "./errors.js";
import type { Broadcasted, BroadcastResult, BytesLike } from "./types.js";

/** Sizes above which the engine refuses. Its memory never shrinks: what is too large is not copied there. */
const MAX_MESSAGE_BYTES = 1 << 20;
const MAX_ID_BYTES = 256;
const MAX_HINT_BYTES = 1024;

/** An argument that cannot be what it has to be. */
export function invalid(what: string, has: string): SdsError {
  return new SdsError("INVALID_ARGUMENT", `${what} has to be ${has}`);
}

/** The bytes of a value that holds some. */
export function bytesOf(value: BytesLike, what: string, limit = Number.POSITIVE_INFINITY): Uint8Array {
  const bytes = viewOf(value);
  if (!bytes) throw invalid(what, "bytes: a Uint8Array or another view, or an ArrayBuffer");
  if (bytes.byteLength > limit) throw new SdsError("TOO_LARGE", `${what}: ${bytes.byteLength} bytes, and ${limit} at most`);
  return bytes;
}

function viewOf(value: unknown): Uint8Array | undefined {
  // By its kind, and not by its class: it may come from another frame.
  if (ArrayBuffer.isView(value)) {
    const isBytes = Object.prototype.toString.call(value) === "[object Uint8Array]";
    return isBytes ? (value as Uint8Array) : new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  }
  const kind = Object.prototype.toString.call(value);
  return /^\[object (Shared)?ArrayBuffer\]$/.test(kind) ? new Uint8Array(value as ArrayBuffer) : undefined;
}

/** Text that is the same once it is encoded. */
export function textOf(value: string, what: string): string {
  // Half a pair has no UTF-8: another text would stand in for it.
  if (typeof value !== "string" || /\p{Surrogate}/u.test(value)) throw invalid(what, "well-formed text");
  return value;
}

/** A function, if there is one. */
export function functionOf<F>(value: F, what: string): F {
  if (value !== undefined && typeof value !== "function") throw invalid(what, "a function");
  return value;
}

/** A timestamp of the engine's. */
export function stampOf(value: bigint, what: string): bigint {
  if (typeof value !== "bigint" || BigInt.asUintN(64, value) !== value) throw invalid(what, "a bigint of 64 bits");
  return value;
}

/** What a broadcast returned. Nothing at all means that it succeeded; `false` that it did not, as in `@waku/sds`. */
export function resultOf(value: Broadcasted): BroadcastResult {
  return typeof value === "object" && value !== null ? value : { success: value !== false };
}

/** What is checked against the limits of a channel. */
export class Checks {
  readonly #messageBytes: number;
  readonly #idBytes: number;
  readonly #hintBytes: number;

  constructor({ maxMessageBytes, maxIdBytes, maxHintBytes }: SdsConfig = {}) {
    this.#messageBytes = maxMessageBytes ?? MAX_MESSAGE_BYTES;
    this.#idBytes = maxIdBytes ?? MAX_ID_BYTES;
    this.#hintBytes = maxHintBytes ?? MAX_HINT_BYTES;
  }

  /** A payload, or a whole message. */
  message(value: BytesLike, what: string): Uint8Array {
    return bytesOf(value, what, this.#messageBytes);
  }

  hint(value: BytesLike): Uint8Array {
    return bytesOf(value, "a retrieval hint", this.#hintBytes);
  }

  id(value: string, what: string): string {
    // Each unit of text is a byte at least; the engine counts them.
    if (typeof value === "string" && value.length > this.#idBytes) {
      throw new SdsError("INVALID_ID", `${what}: ${value.length} characters, and ${this.#idBytes} bytes at most`);
    }
    return textOf(value, what);
  }

  messageId(value: string): string {
    return this.id(value, "a message id");
  }

  /** A list of something. */
  list<T, U>(values: readonly T[], what: string, check: (value: T) => U): U[] {
    if (!Array.isArray(values)) throw invalid(what, "a list");
    return values.map((value) => check(value as T));
  }
}
