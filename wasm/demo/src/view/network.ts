import type { Happening } from "../forum.js";
import type { TabNetwork } from "../network/tabs.js";
import { addressOfAnother } from "../settings.js";
import { find, keyed, make, say } from "./dom.js";
import { timeOf } from "./time.js";

/** The network's switches and numbers. */
export function networkPanel(network: TabNetwork, setOnline: (online: boolean) => void) {
  const [online, fetches, loss] = ["online", "fetches", "loss"].map((id) => find<HTMLInputElement>(id)) as [
    HTMLInputElement,
    HTMLInputElement,
    HTMLInputElement,
  ];
  online.addEventListener("change", () => setOnline(online.checked));
  fetches.addEventListener("change", () => network.setFetches(fetches.checked));
  loss.addEventListener("input", () => network.setLoss(loss.valueAsNumber));
  find<HTMLAnchorElement>("another").href = addressOfAnother(location.href);
  const showCounts = counters();
  return (): void => {
    const { lossPercent } = network.weather;
    online.checked = network.isOnline;
    fetches.checked = network.fetches;
    if (loss.valueAsNumber !== lossPercent) loss.valueAsNumber = lossPercent;
    say(find("loss-shown"), `${lossPercent} %`);
    say(find("online-hint"), network.isOnline ? "Others hear this tab." : "Nothing comes or goes. What you write waits.");
    showCounts(network.counts);
  };
}

function counters() {
  const labels = { sent: "Packets out", received: "Packets in", lost: "Lost on the way", fetched: "Fetched by hash" };
  const values = new Map(Object.entries(labels).map(([name, label]) => {
    const value = make("dd");
    find("counts").append(make("div", "", make("dt", "", label), value));
    return [name, value];
  }));
  return (counts: Record<string, number>): void => {
    for (const [name, value] of values) say(value, String(counts[name] ?? 0));
  };
}

/** What happens beneath the conversation, the latest first. */
export function happeningList() {
  const update = keyed<Happening, HTMLLIElement>(find("happenings"), {
    key: ({ number }) => String(number),
    make({ kind, at, text }) {
      const made = make("li", "", make("time", "", timeOf(at)), make("span", "", text));
      made.dataset["kind"] = kind;
      return made;
    },
    update() {},
  });
  return (happenings: readonly Happening[]): void => {
    find("no-happenings").hidden = happenings.length > 0;
    update(happenings);
  };
}
