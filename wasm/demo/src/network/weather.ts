const LEAST_DELAY_MS = 10;
const MOST_DELAY_MS = 120;

/** How the network treats packets: it loses and delays them by chance, so that they also overtake one another. */
export class Weather {
  lossPercent = 0;
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  loses(): boolean {
    return this.#random() * 100 < this.lossPercent;
  }

  delayMs(): number {
    return LEAST_DELAY_MS + this.#random() * (MOST_DELAY_MS - LEAST_DELAY_MS);
  }
}
