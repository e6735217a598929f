/** What tabs send one another. */
export type Frame =
  /** A message of the channel, for everybody. */
  | { readonly kind: "message"; readonly payload: Uint8Array }
  /** Who has messages of these hashes? */
  | { readonly kind: "fetch"; readonly request: string; readonly hashes: readonly Uint8Array[] }
  | { readonly kind: "found"; readonly request: string; readonly payloads: readonly Uint8Array[] }
  /** The network is made to lose this much: not part of the network itself. */
  | { readonly kind: "weather"; readonly lossPercent: number }
  /** Somebody is new, and asks for the weather. */
  | { readonly kind: "hello" };

const MOST_LISTED = 100;

/** Undefined: no frame. Other pages of this origin may write to the bus, too. */
export function readFrame(data: unknown): Frame | undefined {
  if (typeof data !== "object" || data === null) return undefined;
  const { kind, payload, request, hashes, payloads, lossPercent } = data as Record<string, unknown>;
  if (kind === "hello") return { kind };
  if (kind === "weather" && isPercent(lossPercent)) return { kind, lossPercent };
  if (kind === "message" && payload instanceof Uint8Array) return { kind, payload };
  if (typeof request !== "string") return undefined;
  if (kind === "fetch" && areBytes(hashes)) return { kind, request, hashes };
  if (kind === "found" && areBytes(payloads)) return { kind, request, payloads };
  return undefined;
}

function isPercent(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && value <= 100;
}

function areBytes(value: unknown): value is Uint8Array[] {
  return Array.isArray(value) && value.length <= MOST_LISTED && value.every((each) => each instanceof Uint8Array);
}
