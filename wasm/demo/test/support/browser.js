// The page as it is built, in Debian's Chromium.
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";
import { preview } from "vite";

const PICTURES = fileURLToPath(new URL("../../../../target/web-demo", import.meta.url));
const EXECUTABLE = process.env.CHROMIUM ?? "/usr/bin/chromium";
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Serves the page on loopback, at a free port, and starts a browser. */
export async function begin() {
  await mkdir(PICTURES, { recursive: true });
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const server = await preview({ root, logLevel: "error", preview: { port: 0 } });
  const browser = await chromium.launch({ executablePath: EXECUTABLE, headless: true, args: FLAGS });
  const address = server.resolvedUrls.local[0];
  return {
    browser,
    address,
    async end() {
      await browser.close();
      await server.close();
    },
  };
}

/** People with a browser: their tabs hear one another and nobody else. */
export class Household {
  errors = [];
  #context;
  #address;

  static async of({ browser, address }) {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: "en-GB", timezoneId: "UTC" });
    context.setDefaultTimeout(60_000);
    return new Household(context, address);
  }

  constructor(context, address) {
    this.#context = context;
    this.#address = address;
  }

  /** Opens a tab; the parameters are those of the page (src/settings.ts). */
  async open(name, parameters = {}) {
    const page = await this.#context.newPage();
    const address = new URL(this.#address);
    for (const [key, value] of Object.entries({ name, ...parameters })) address.searchParams.set(key, value);
    await page.goto(address.href);
    return this.adopt(page);
  }

  /** Takes a page in that another one has opened. */
  async adopt(page) {
    page.on("pageerror", (error) => this.errors.push(error));
    page.on("console", (message) => message.type() === "error" && this.errors.push(new Error(message.text())));
    const tab = new Tab(page);
    await tab.ready();
    return tab;
  }

  /** Keeps pictures of all tabs as they are: of a test that failed. */
  async evidence() {
    for (const [at, page] of this.#context.pages().entries()) await page.screenshot({ path: `${PICTURES}/failed-${at}.png` });
  }

  async close() {
    await this.#context.close();
  }
}

/** One tab, used as people use it. */
export class Tab {
  constructor(page) {
    this.page = page;
    this.status = page.locator("#status");
    this.lines = page.locator("#thread-lines > li");
  }

  ready() {
    return this.page.waitForSelector("body[data-ready]");
  }

  async reload() {
    await this.page.reload();
    await this.ready();
  }

  async ask(title, text = "") {
    await this.page.click("#ask-open");
    await this.page.fill("#ask-title", title);
    await this.page.fill("#ask-text", text);
    await this.page.click("#ask button[type=submit]");
    await this.page.locator("#thread-title", { hasText: title }).waitFor();
  }

  async choose(title) {
    await this.page.click(`.question-item:has-text("${title}")`);
    await this.page.locator("#thread-title", { hasText: title }).waitFor();
  }

  async answer(text) {
    await this.page.fill("#answer-text", text);
    await this.page.click("#answer button[type=submit]");
    await this.line(text).waitFor();
  }

  line(text) {
    return this.page.locator("#thread-lines > li", { hasText: text });
  }

  setOnline(online) {
    return this.page.setChecked("#online", online);
  }

  setFetches(fetches) {
    return this.page.setChecked("#fetches", fetches);
  }

  setLoss(percent) {
    return this.page.fill("#loss", String(percent));
  }

  /** All is here: so many messages, and nothing is missing. */
  async has(count) {
    await this.page.waitForFunction(
      (expected) =>
        document.querySelectorAll(".node").length === expected &&
        document.querySelectorAll(".node.here").length === expected &&
        document.querySelector("#status").dataset.state === "synced",
      count,
    );
  }

  /** The ids of all messages, in the order that the page has them in. */
  log() {
    return this.page.$$eval("[data-node]", (nodes) => nodes.map((node) => node.dataset.node));
  }

  /** The ids of the open thread's answers, from top to bottom. */
  thread() {
    return this.page.$$eval("#thread-lines > li", (lines) => lines.map((line) => line.dataset.message));
  }

  /** Keeps a picture, in target/web-demo. */
  async picture(name, { dark = false, width = 1440, height = 900 } = {}) {
    await this.page.setViewportSize({ width, height });
    await this.page.emulateMedia({ colorScheme: dark ? "dark" : "light", reducedMotion: "reduce" });
    await this.page.screenshot({ path: `${PICTURES}/${name}.png` });
  }
}
