import type { Network, NetworkMessage } from "./network.js";

/** Of `@waku/sdk`'s encoders, what is needed. */
export interface WakuEncoder<Proto> {
  readonly pubsubTopic: string;
  toProtoObj(message: { payload: Uint8Array; timestamp?: Date }): Promise<Proto | undefined>;
}

/** Of its decoded messages. */
export interface WakuMessage {
  readonly payload: Uint8Array;
  readonly hash: Uint8Array;
}

/** Of its nodes (`LightNode`). */
export interface WakuNode<Encoder, Decoder> {
  readonly lightPush?: {
    send(encoder: Encoder, message: { payload: Uint8Array; timestamp?: Date }): Promise<{
      readonly successes: readonly unknown[];
      readonly failures?: readonly unknown[] | undefined;
    }>;
  };
  readonly filter?: {
    subscribe(decoder: Decoder, callback: (message: WakuMessage) => void): Promise<boolean>;
    unsubscribe(decoder: Decoder): Promise<boolean>;
  };
  readonly store?: {
    queryGenerator(
      decoders: Decoder[],
      options: { messageHashes: Uint8Array[]; includeData: boolean },
    ): AsyncIterable<Promise<WakuMessage | undefined>[]>;
  };
}

/**
 * A Waku node as a {@link Network}.
 *
 * @param node - a light node of `@waku/sdk`.
 * @param encoder - of the channel's content topic.
 * @param decoder - of the same.
 * @param messageHash - the function of that name in `@waku/core`: the network's hash of a message, which others fetch it by.
 */
export function wakuNetwork<Proto, Encoder extends WakuEncoder<Proto>, Decoder>(
  node: WakuNode<Encoder, Decoder>,
  encoder: Encoder & WakuEncoder<Proto>,
  decoder: Decoder,
  messageHash: (pubsubTopic: string, message: Proto) => Uint8Array,
): Network {
  let lastMs = 0;
  const { store } = node;
  return {
    async publish(payload) {
      if (!node.lightPush) throw new Error("this Waku node has no light push");
      // Waku drops what equals a recent message: a resend is told apart by its time.
      lastMs = Math.max(Date.now(), lastMs + 1);
      const proto = await encoder.toProtoObj({ payload, timestamp: new Date(lastMs) });
      if (!proto) throw new Error("the encoder made no message");
      // An encoder that encrypts makes another message each time: what is hashed is to be what is sent.
      const once = Object.create(encoder, { toProtoObj: { value: async () => proto } }) as Encoder;
      const { successes, failures } = await node.lightPush.send(once, { payload, timestamp: new Date(lastMs) });
      if (successes.length === 0) throw new Error(`no Waku peer took the message: ${JSON.stringify(failures ?? [])}`);
      return messageHash(encoder.pubsubTopic, proto);
    },
    async subscribe(receive) {
      const { filter } = node;
      if (!filter) throw new Error("this Waku node has no filter");
      const subscribed = await filter.subscribe(decoder, ({ payload, hash }) => receive({ payload, hash }));
      if (!subscribed) throw new Error("no Waku peer took the subscription");
      return async () => void (await filter.unsubscribe(decoder));
    },
    ...(store && {
      async fetch(hashes: readonly Uint8Array[]) {
        const found: NetworkMessage[] = [];
        for await (const page of store.queryGenerator([decoder], { messageHashes: [...hashes], includeData: true })) {
          for (const message of await Promise.all(page)) {
            if (message) found.push({ payload: message.payload, hash: message.hash });
          }
        }
        return found;
      },
    }),
  };
}
