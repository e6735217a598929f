import { TypedEventTarget } from "./events.js";
import type { ChannelStatus } from "./types.js";

/** How much of a channel is here. */
export interface SyncStatusDetail {
  /** Nothing is missing, as far as we know. What is lost is not waited for. */
  readonly isSynced: boolean;
  /** Messages delivered from others. */
  readonly received: number;
  /** Messages that others name and that are not here: being fetched, or asked for. */
  readonly missing: number;
  /** Messages given up. Should they come after all, they are delivered. */
  readonly lost: number;
  /** Messages of ours that nobody is known to have. */
  readonly unacknowledged: number;
}

/** The events of a sync status: it changed, and this is how it stands. */
export interface SyncStatusEvents {
  synced: CustomEvent<SyncStatusDetail>;
  syncing: CustomEvent<SyncStatusDetail>;
}

/** Whether all is here, or how much is missing. Tells by itself when that changes. */
export class SyncStatus extends TypedEventTarget<SyncStatusEvents> {
  #detail: SyncStatusDetail = { isSynced: true, received: 0, missing: 0, lost: 0, unacknowledged: 0 };

  /** How it stands. */
  get current(): SyncStatusDetail {
    return this.#detail;
  }

  /** @internal */
  update({ received, missing, lost, unacknowledged }: ChannelStatus): void {
    const detail = { isSynced: missing === 0, received, missing, lost, unacknowledged };
    const before = this.#detail;
    const names = Object.keys(detail) as (keyof SyncStatusDetail)[];
    if (names.every((name) => detail[name] === before[name])) return;
    this.#detail = detail;
    this.emit(detail.isSynced ? "synced" : "syncing", detail);
  }
}
