import type { Receipt } from "../forum.js";
import { draw, make } from "./dom.js";
import { listOf } from "./people.js";

const SHAPES: Record<Receipt["tick"], string[]> = {
  queued: ["M8 4.5V8l2.3 1.6", "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12Z"],
  sent: ["M3.5 8.5 6.5 11.5 12.5 5"],
  possibly: ["M1.5 8.5 4.5 11.5 10.5 5", "M8 11 8.5 11.5 14.5 5"],
  acknowledged: ["M1.5 8.5 4.5 11.5 10.5 5", "M8 11 8.5 11.5 14.5 5"],
  unconfirmed: ["M1.5 8.5 4.5 11.5 10.5 5", "M8 11 8.5 11.5 14.5 5"],
  failed: ["M8 4.5V9", "M8 11.4v.1", "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12Z"],
};

/** What becomes of a message of ours, as a sign and in words. */
export function receiptSign(): { element: HTMLElement; show(receipt: Receipt | undefined): void } {
  const svg = draw("svg", { viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": "true" });
  const words = make("span", "words");
  const element = make("span", "receipt", svg, words);
  let shown: string | undefined;
  return {
    element,
    show(receipt) {
      element.hidden = receipt === undefined;
      const said = receipt ? wordsOf(receipt) : "";
      if (said === shown) return;
      shown = said;
      words.textContent = said;
      if (!receipt) return;
      element.dataset["tick"] = receipt.tick;
      svg.replaceChildren(...SHAPES[receipt.tick].map((d) => draw("path", { d })));
    },
  };
}

function wordsOf({ tick, probability, holders }: Receipt): string {
  switch (tick) {
    case "queued":
      return "Waits to be sent";
    case "sent":
      return "Sent";
    case "possibly":
      return `Somebody has it, probably (${percent(probability)})`;
    case "acknowledged":
      return holders.length > 0 ? `${listOf(holders)} ${holders.length > 1 ? "have" : "has"} it` : "Somebody has it";
    case "unconfirmed":
      return `Somebody has it, probably (${percent(probability)}): nobody said so`;
    case "failed":
      return "Nobody is known to have it";
  }
}

/** Never 100 %: that would be certain. */
function percent(probability: number): string {
  return `${Math.min(Math.floor(probability * 1_000) / 10, 99.9)} %`;
}
