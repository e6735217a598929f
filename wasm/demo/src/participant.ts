import type { ParticipantId } from "@status-im/sds";

import { remember, remembered } from "./memory.js";

const MOST_NAME = 24;
const NAMES = ["Ada", "Bea", "Cyrus", "Dora", "Emil", "Fern", "Gil", "Hana", "Ivo", "June", "Kofi", "Lena", "Mats", "Nora"];

/** The participant that this tab was before it was loaded again, if it was. */
export function rememberedParticipant(): ParticipantId | undefined {
  return remembered("participant");
}

/** Makes a participant that nobody else is, for this tab and until it is closed. */
export function newParticipant(name?: string): ParticipantId {
  const chosen = name ?? NAMES[Math.floor(Math.random() * NAMES.length)];
  const id = `${chosen}-${crypto.randomUUID().slice(0, 8)}`;
  remember("participant", id);
  return id;
}

/** What a participant is called: what stands before the last dash of its id. Ids come from others and may be anything. */
export function nameOf(id: ParticipantId | undefined): string {
  if (!id) return "Somebody";
  const dash = id.lastIndexOf("-");
  return shortened(dash > 0 ? id.slice(0, dash) : id, MOST_NAME);
}

/** The first characters of a text. */
export function shortened(text: string, most: number): string {
  const characters = [...text];
  return characters.length > most ? `${characters.slice(0, most - 1).join("")}…` : text;
}

/** The colour of a participant, as an angle: names that begin with neighbouring letters lie far apart. */
export function hueOf(id: ParticipantId | undefined): number {
  return Math.round((nameOf(id).charCodeAt(0) * 137.508) % 360);
}
