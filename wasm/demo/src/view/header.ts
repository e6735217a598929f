import type { ParticipantId, SyncStatusDetail } from "@status-im/sds";

import { nameOf } from "../participant.js";
import { find, make, say } from "./dom.js";
import { avatar } from "./people.js";

/** Who we are, and whether all is here: in the header, and in the title for who looks at another tab. */
export function header(me: ParticipantId) {
  const status = find("status");
  find("me").append(avatar(me), make("span", "", `You are ${nameOf(me)}`));
  return (detail: SyncStatusDetail, online: boolean): void => {
    status.dataset["state"] = online ? stateOf(detail) : "offline";
    say(status, online ? inWords(detail) : offlineInWords(detail));
    const waits = detail.missing > 0 ? `(${detail.missing} missing) ` : "";
    const title = `${waits}${nameOf(me)} in the Potting Shed`;
    if (document.title !== title) document.title = title;
  };
}

function stateOf({ isSynced, lost }: SyncStatusDetail): string {
  if (!isSynced) return "syncing";
  return lost > 0 ? "lost" : "synced";
}

function inWords({ missing, lost }: SyncStatusDetail): string {
  const given = lost > 0 ? `${lost} lost` : undefined;
  const now = missing > 0 ? `${missing} missing, fetching` : given ? undefined : "Everything is here";
  return [now, given].filter(Boolean).join(" · ");
}

function offlineInWords({ missing, unacknowledged }: SyncStatusDetail): string {
  const ours = unacknowledged > 0 ? `${unacknowledged} of yours on hold` : undefined;
  const theirs = missing > 0 ? `${missing} missing` : undefined;
  return ["Offline", ours, theirs].filter(Boolean).join(" · ");
}
