const KEYS = { participant: "participant", offline: "offline", withoutFetch: "without fetch" } as const;

/** What this tab keeps until it is closed: a reload finds it again, another tab does not. */
export function remembered(what: keyof typeof KEYS): string | undefined {
  return sessionStorage.getItem(KEYS[what]) ?? undefined;
}

/** Keeps a text; undefined forgets it. */
export function remember(what: keyof typeof KEYS, text: string | undefined): void {
  if (text === undefined) sessionStorage.removeItem(KEYS[what]);
  else sessionStorage.setItem(KEYS[what], text);
}
