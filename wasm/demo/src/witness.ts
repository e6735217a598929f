import { inspect, type InspectedMessage, type MessageId, type Network } from "@status-im/sds";

const MOST = 500;

/** Reads along what goes over a network, so that one can ask what a message names. */
export class Witness {
  readonly #seen = new Map<MessageId, InspectedMessage>();

  /** The network, read along. */
  watch(network: Network): Network {
    const see = async (payload: Uint8Array) => {
      // What cannot be read is the channel's to refuse.
      const message = await inspect(payload).catch(() => undefined);
      if (message?.content) this.#keep(message);
    };
    return {
      async publish(payload) {
        await see(payload);
        return network.publish(payload);
      },
      subscribe: (receive) => network.subscribe((message) => void see(message.payload).then(() => receive(message))),
      fetch: async (hashes) => {
        const found = (await network.fetch?.(hashes)) ?? [];
        for (const { payload } of found) await see(payload);
        return found;
      },
    };
  }

  /** A message that came by lately. */
  get(messageId: MessageId): InspectedMessage | undefined {
    return this.#seen.get(messageId);
  }

  #keep(message: InspectedMessage): void {
    this.#seen.set(message.messageId, message);
    const [oldest] = this.#seen.keys();
    if (this.#seen.size > MOST && oldest !== undefined) this.#seen.delete(oldest);
  }
}
