/** What people write: the content of a message, for the protocol mere bytes. */
export type Post =
  | { readonly kind: "question"; readonly title: string; readonly text: string }
  | { readonly kind: "answer"; readonly to: string; readonly text: string };

export const MOST_TITLE = 140;
export const MOST_TEXT = 4_000;
const MOST_ID = 256;

export function encodePost(post: Post): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(post));
}

/** Undefined: not a post. Content comes from others, and may be anything. */
export function decodePost(content: Uint8Array): Post | undefined {
  const { kind, title, text, to } = parsed(content);
  if (!isText(text, MOST_TEXT)) return undefined;
  if (kind === "question" && isText(title, MOST_TITLE) && title.trim() !== "") return { kind, title, text };
  if (kind === "answer" && isText(to, MOST_ID) && text.trim() !== "") return { kind, to, text };
  return undefined;
}

/** A line that says what it is about. */
export function summaryOf(post: Post | undefined): string {
  if (!post) return "Something this page cannot show";
  return post.kind === "question" ? post.title : post.text;
}

function parsed(content: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(content));
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function isText(value: unknown, most: number): value is string {
  return typeof value === "string" && value.length <= most;
}
