import type { MessageId } from "@status-im/sds";

import type { Entry, Gap } from "./forum.js";

/** A line of a thread: a message, or the place of one that is not here. */
export type Line =
  | { readonly kind: "entry"; readonly entry: Entry }
  | { readonly kind: "gap"; readonly gap: Gap };

/** A question with its answers, in the order that all participants see. */
export interface Thread {
  readonly questionId: MessageId;
  /** Undefined: there are answers, and what they answer is not here. */
  readonly question: Entry | undefined;
  readonly lines: readonly Line[];
  readonly answers: number;
  /** Lamport time of its latest message. */
  readonly latest: bigint;
}

/**
 * Makes threads of messages, the liveliest first. What is not here has its place before the first message that names it, since
 * that is all that is known of it.
 *
 * @param entries - in order.
 */
export function threadsOf(entries: readonly Entry[], gaps: readonly Gap[]): Thread[] {
  const gapsBefore = placesOf(entries, gaps);
  const found = new Map<MessageId, { question: Entry | undefined; lines: Line[]; last: Entry }>();
  for (const entry of entries) {
    const { post } = entry;
    if (!post) continue;
    const questionId = post.kind === "question" ? entry.messageId : post.to;
    const thread = found.get(questionId) ?? { question: undefined, lines: [], last: entry };
    found.set(questionId, thread);
    thread.last = entry;
    for (const gap of gapsBefore.get(entry.messageId) ?? []) thread.lines.push({ kind: "gap", gap });
    if (post.kind === "question") thread.question = entry;
    else thread.lines.push({ kind: "entry", entry });
  }
  const places = new Map(entries.map(({ messageId }, at) => [messageId, at]));
  const place = ({ messageId }: Entry) => places.get(messageId) ?? 0;
  const lively = [...found].sort(([, a], [, b]) => place(b.last) - place(a.last));
  return lively.map(([questionId, { question, lines, last }]) => {
    const answers = lines.filter(({ kind }) => kind === "entry").length;
    return { questionId, question, lines, answers, latest: last.lamport };
  });
}

/** What is not here, by the first message that names it. */
export function placesOf(entries: readonly Entry[], gaps: readonly Gap[]): Map<MessageId, Gap[]> {
  const left = new Map(gaps.map((gap) => [gap.messageId, gap]));
  const places = new Map<MessageId, Gap[]>();
  for (const { messageId, names } of entries) {
    const here = names.flatMap((name) => left.get(name.messageId) ?? []);
    for (const gap of here) left.delete(gap.messageId);
    if (here.length > 0) places.set(messageId, here);
  }
  return places;
}
