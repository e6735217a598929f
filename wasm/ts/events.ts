import type { DeliveredMessage, HistoryEntry, MessageId, OutgoingMessage, ReceivedMessage } from "./types.js";

/**
 * The events of a channel. Those that `@waku/sds` has too have its names. Each fact is told once.
 */
export const SdsEvent = {
  /** A message of ours was broadcast for the first time. */
  OutMessageSent: "sds:out:message-sent",
  /** Filters of others hold a message of ours, which is evidence and no proof. */
  OutMessagePossiblyAcknowledged: "sds:out:message-possibly-acknowledged",
  /** Somebody has a message of ours. */
  OutMessageAcknowledged: "sds:out:message-acknowledged",
  /** A message of ours was resent as often as configured, and nothing was heard of it. It can be retried. */
  OutMessageFailed: "sds:out:message-failed",
  /** The same, but filters hold it. */
  OutMessageUnconfirmed: "sds:out:message-unconfirmed",
  /** A sync message was broadcast. */
  OutSyncSent: "sds:out:sync-sent",
  /** A message with content came, whatever became of it but an echo or a duplicate. */
  InMessageReceived: "sds:in:message-received",
  /** A message is in causal order: show it. */
  InMessageDelivered: "sds:in:message-delivered",
  /** Messages are named by others and are not here: fetch them by their hints. */
  InMessageMissing: "sds:in:message-missing",
  /** Missing messages did not come in time. */
  InMessageLost: "sds:in:message-irretrievably-lost",
  /** Messages from before this channel was opened, with `fromNow`: not waited for. */
  InMessageBeforeUs: "sds:in:message-before-us",
  /** A sync message came. */
  InSyncReceived: "sds:in:sync-received",
  /** We asked the others for a missing message. */
  RepairRequestSent: "sds:repair:request-sent",
  /** We answered somebody's request: a message was broadcast again. */
  RepairResponseSent: "sds:repair:response-sent",
  /** A missing message that we had asked for is here. */
  Repaired: "sds:repair:repaired",
  /** Something failed that no call waits for: a broadcast, or the store. It is tried again. */
  ErrorTask: "sds:error-task",
} as const;

/** What each event of a channel brings. */
export interface SdsEvents {
  "sds:out:message-sent": CustomEvent<OutgoingMessage>;
  "sds:out:message-possibly-acknowledged": CustomEvent<{ messageId: MessageId; probability: number }>;
  "sds:out:message-acknowledged": CustomEvent<MessageId>;
  "sds:out:message-failed": CustomEvent<MessageId>;
  "sds:out:message-unconfirmed": CustomEvent<{ messageId: MessageId; probability: number }>;
  "sds:out:sync-sent": CustomEvent<OutgoingMessage>;
  "sds:in:message-received": CustomEvent<ReceivedMessage>;
  "sds:in:message-delivered": CustomEvent<DeliveredMessage>;
  "sds:in:message-missing": CustomEvent<HistoryEntry[]>;
  "sds:in:message-irretrievably-lost": CustomEvent<HistoryEntry[]>;
  "sds:in:message-before-us": CustomEvent<HistoryEntry[]>;
  "sds:in:sync-received": CustomEvent<ReceivedMessage>;
  "sds:repair:request-sent": CustomEvent<{ messageId: MessageId; asks: number }>;
  "sds:repair:response-sent": CustomEvent<{ messageId: MessageId }>;
  "sds:repair:repaired": CustomEvent<{ messageId: MessageId }>;
  "sds:error-task": CustomEvent<unknown>;
}

/** Who is told of an event. */
export type Listener<E extends CustomEvent> = ((event: E) => void) | { handleEvent(event: E): void } | null;

/** An `EventTarget` that knows its events by name. */
export class TypedEventTarget<Events extends { [Name in keyof Events]: CustomEvent }> extends EventTarget {
  override addEventListener<Name extends keyof Events & string>(
    name: Name,
    listener: Listener<Events[Name]>,
    options?: boolean | AddEventListenerOptions,
  ): void {
    super.addEventListener(name, listener as EventListenerOrEventListenerObject | null, options);
  }

  override removeEventListener<Name extends keyof Events & string>(
    name: Name,
    listener: Listener<Events[Name]>,
    options?: boolean | EventListenerOptions,
  ): void {
    super.removeEventListener(name, listener as EventListenerOrEventListenerObject | null, options);
  }

  /** What is to be told when nobody is held up any more. */
  #held: (() => void)[] | undefined;

  /**
   * Keeps what is told until what it returns is called: nobody can listen yet.
   *
   * @internal
   */
  hold(): () => void {
    this.#held = [];
    return () => {
      // What listeners cause meanwhile follows.
      for (const tell of this.#held ?? []) tell();
      this.#held = undefined;
    };
  }

  /** Tells listeners. One that throws concerns neither us nor the others: the host reports it. */
  protected emit<Name extends keyof Events & string>(name: Name, detail: Events[Name]["detail"]): void {
    const tell = () => void this.dispatchEvent(new CustomEvent(name, { detail }));
    if (this.#held) this.#held.push(tell);
    else tell();
  }
}
