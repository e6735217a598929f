import type { Network, NetworkMessage } from "@status-im/sds";

import { hashOf, hex } from "../bytes.js";
import { remember, remembered } from "../memory.js";
import { Archive } from "./archive.js";
import { type Frame, readFrame } from "./frames.js";
import type { Weather } from "./weather.js";

/** How long a question to the other tabs stays open. */
const FETCH_MS = 600;

/** Nothing can be sent: this tab is offline. */
export class Offline extends Error {
  constructor() {
    super("this tab is offline");
  }
}

/**
 * The tabs of one browser as a network: each hears what the others broadcast, as the weather lets it. What others lack they can
 * have by its hash from whoever has it.
 *
 * Tells `change` when a number or a switch of it changes.
 */
export class TabNetwork extends EventTarget implements Network {
  /** Packets, since this page was loaded. */
  readonly counts = { sent: 0, received: 0, lost: 0, fetched: 0 };
  readonly weather: Weather;
  readonly #bus: BroadcastChannel;
  readonly #archive = new Archive();
  readonly #receivers = new Set<(message: NetworkMessage) => void>();
  readonly #requests = new Map<string, (payloads: readonly Uint8Array[]) => void>();
  #online = true;
  #fetches = remembered("withoutFetch") === undefined;

  constructor(channelId: string, weather: Weather, lossPercent: number | undefined) {
    super();
    this.weather = weather;
    this.#bus = new BroadcastChannel(`forum ${channelId}`);
    this.#bus.onmessage = ({ data }) => {
      const frame = readFrame(data);
      if (frame) this.#hear(frame);
    };
    if (lossPercent === undefined) this.#bus.postMessage({ kind: "hello" } satisfies Frame);
    else this.setLoss(lossPercent);
  }

  // ---- What the package asks for

  async publish(payload: Uint8Array): Promise<Uint8Array> {
    if (!this.#online) throw new Offline();
    const hash = await hashOf(payload);
    this.#archive.keep(hash, payload);
    this.#send({ kind: "message", payload });
    return hash;
  }

  async subscribe(receive: (message: NetworkMessage) => void): Promise<() => void> {
    this.#receivers.add(receive);
    return () => this.#receivers.delete(receive);
  }

  async fetch(hashes: readonly Uint8Array[]): Promise<NetworkMessage[]> {
    if (!this.#online) throw new Offline();
    if (!this.#fetches) return [];
    const wanted = new Set(hashes.map(hex));
    const found: NetworkMessage[] = [];
    const request = crypto.randomUUID();
    await new Promise<void>((done) => {
      setTimeout(done, FETCH_MS);
      this.#requests.set(request, async (payloads) => {
        for (const payload of payloads) {
          const hash = await hashOf(payload);
          if (wanted.delete(hex(hash))) found.push({ payload, hash });
        }
        if (wanted.size === 0) done();
      });
      this.#send({ kind: "fetch", request, hashes });
    });
    this.#requests.delete(request);
    this.counts.fetched += found.length;
    this.#changed();
    return found;
  }

  // ---- What people set

  get isOnline(): boolean {
    return this.#online;
  }

  setOnline(online: boolean): void {
    this.#online = online;
    this.#changed();
  }

  /** Whether what is missing is asked for by its hash. If not, it is had by repair among the participants. */
  get fetches(): boolean {
    return this.#fetches;
  }

  setFetches(fetches: boolean): void {
    remember("withoutFetch", fetches ? undefined : "yes");
    this.#fetches = fetches;
    this.#changed();
  }

  /** Sets how much is lost, in every tab. */
  setLoss(lossPercent: number): void {
    this.weather.lossPercent = lossPercent;
    this.#tellWeather();
    this.#changed();
  }

  // ---- Between the tabs

  #tellWeather(): void {
    const { lossPercent } = this.weather;
    this.#bus.postMessage({ kind: "weather", lossPercent } satisfies Frame);
  }

  #send(frame: Frame): void {
    if (!this.#online) return;
    this.counts.sent += 1;
    this.#bus.postMessage(frame);
    this.#changed();
  }

  #hear(frame: Frame): void {
    if (frame.kind === "hello") return this.#tellWeather();
    if (frame.kind === "weather") {
      this.weather.lossPercent = frame.lossPercent;
      return this.#changed();
    }
    if (!this.#online) return;
    if (this.weather.loses()) {
      this.counts.lost += 1;
      return this.#changed();
    }
    setTimeout(() => this.#online && void this.#take(frame), this.weather.delayMs());
  }

  async #take(frame: Frame): Promise<void> {
    this.counts.received += 1;
    this.#changed();
    if (frame.kind === "found") this.#requests.get(frame.request)?.(frame.payloads);
    if (frame.kind === "fetch") {
      const payloads = this.#archive.pick(frame.hashes);
      if (payloads.length > 0) this.#send({ kind: "found", request: frame.request, payloads });
    }
    if (frame.kind !== "message") return;
    const { payload } = frame;
    const hash = await hashOf(payload);
    this.#archive.keep(hash, payload);
    for (const receive of this.#receivers) receive({ payload, hash });
  }

  #changed(): void {
    this.dispatchEvent(new Event("change"));
  }
}
