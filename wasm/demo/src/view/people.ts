import type { ParticipantId } from "@status-im/sds";

import { hueOf, nameOf } from "../participant.js";
import { make } from "./dom.js";

/** The sign of a participant: an initial on its colour. */
export function avatar(id: ParticipantId | undefined): HTMLElement {
  const made = make("span", "avatar", [...nameOf(id)][0]?.toUpperCase() ?? "?");
  made.setAttribute("aria-hidden", "true");
  made.style.setProperty("--hue", String(hueOf(id)));
  return made;
}

/** "Ada, Bea and Cyrus". */
export function listOf(ids: readonly ParticipantId[]): string {
  const names = [...new Set(ids.map(nameOf))];
  const last = names.pop() ?? "nobody";
  return names.length > 0 ? `${names.join(", ")} and ${last}` : last;
}
