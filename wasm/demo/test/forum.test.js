// The page in a real browser: several tabs, used as people use them. Nothing here waits for a time, only for what is to show.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { begin, Household } from "./support/browser.js";

let world;
before(async () => {
  world = await begin();
});
after(() => world.end());

/** Runs a test with a household of its own, whose pages have to run without errors. */
function household(name, body) {
  test(name, { timeout: 180_000 }, async () => {
    const people = await Household.of(world);
    try {
      await body(people);
      assert.deepEqual(people.errors, []);
    } catch (error) {
      await people.evidence();
      throw error;
    }
    await people.close();
  });
}

household("three tabs, loss, one offline and back, reloads in the middle: equal logs at the end", async (people) => {
  const ada = await people.open("Ada", { seed: 1, loss: 30 });
  const bea = await people.open("Bea", { seed: 2 });
  const cyrus = await people.open("Cyrus", { seed: 3 });
  const all = [ada, bea, cyrus];
  for (const { page } of all) await page.locator("#loss-shown", { hasText: "30 %" }).waitFor();

  const question = "Why do the leaves of my tomatoes curl?";
  await ada.ask(question, "They stand by the south wall. The upper leaves roll inwards by noon, and are flat again in the evening.");
  await Promise.all([bea, cyrus].map((tab) => tab.choose(question)));
  await bea.answer("That is the heat. If they are flat again in the evening, all is well.");
  await ada.line("That is the heat").waitFor();
  await cyrus.line("That is the heat").waitFor();

  await cyrus.setOnline(false);
  await cyrus.answer("Mulch helps: the soil stays cool, and you water half as often.");
  await cyrus.page.locator("#status", { hasText: "1 of yours on hold" }).waitFor();
  await cyrus.line("Mulch helps").locator("[data-tick=queued]").waitFor();
  await cyrus.picture("offline");
  await ada.answer("They are flat by eight. Should I water at noon all the same?");
  await bea.line("flat by eight").waitFor();
  await bea.answer("No: early in the morning, and only the soil.");
  // Loaded again the moment after it was sent.
  await bea.reload();
  await bea.line("early in the morning").waitFor();
  await ada.line("early in the morning").waitFor();
  await bea.ask("When do I sow spinach for the winter?");
  await ada.choose("spinach");
  await ada.answer("From the middle of August on.");
  await bea.line("middle of August").waitFor();

  // Offline and loaded again: what was said is here, and it is still offline.
  await cyrus.reload();
  await cyrus.page.locator("#status", { hasText: "Offline" }).waitFor();
  assert.equal(await cyrus.line("Mulch helps").locator("[data-tick=queued]").count(), 1);
  assert.equal(await cyrus.line("flat by eight").count(), 0);
  await cyrus.setOnline(true);

  await Promise.all(all.map((tab) => tab.has(7)));
  await Promise.all(all.map((tab) => tab.choose(question)));
  const [log, ...others] = await Promise.all(all.map((tab) => tab.log()));
  for (const other of others) assert.deepEqual(other, log);
  const [thread, ...threads] = await Promise.all(all.map((tab) => tab.thread()));
  assert.equal(thread.length, 4);
  for (const other of threads) assert.deepEqual(other, thread);
  await cyrus.line("Mulch helps").locator("[data-tick=acknowledged]").waitFor();

  await ada.page.hover(`[data-node="${log[4]}"]`);
  await ada.page.locator("#graph-details", { hasText: "In its place" }).waitFor();
  await pictures(ada);
});

async function pictures(tab) {
  for (const dark of [false, true]) {
    const kind = dark ? "dark" : "light";
    await tab.picture(`wide-${kind}`, { dark });
    await tab.picture(`middle-${kind}`, { dark, width: 900, height: 700 });
    await tab.picture(`narrow-thread-${kind}`, { dark, width: 390, height: 844 });
    for (const pane of ["history", "network", "forum"]) {
      await tab.page.click(`.tabs [data-pane=${pane}]`);
      if (pane !== "forum") await tab.picture(`narrow-${pane}-${kind}`, { dark, width: 390, height: 844 });
    }
    await tab.page.click("#back");
    await tab.picture(`narrow-list-${kind}`, { dark, width: 390, height: 844 });
    await tab.page.click(".question-item");
  }
}

/** Somebody misses two messages, and hears of them by a third. */
async function missTwo(people, parameters) {
  const [ada, bea] = [await people.open("Ada", { seed: 1 }), await people.open("Bea", { seed: 2 })];
  const dora = await people.open("Dora", { seed: 3, repair: "off", ...parameters });
  await ada.ask("Which apple keeps until spring?");
  await Promise.all([bea, dora].map((tab) => tab.choose("Which apple")));
  await dora.setFetches(false);
  await dora.setOnline(false);
  // Once they are acknowledged they are not sent again.
  for (const text of ["Boskoop, if the cellar is cool.", "Wrap each in paper."]) {
    await ada.answer(text);
    await ada.line(text).locator("[data-tick=acknowledged]").waitFor();
  }
  await dora.setOnline(true);
  await bea.answer("And look through them every other week.");
  await dora.line("every other week").waitFor();
  return { ada, bea, dora };
}

household("what is missing shows, has its place kept, and comes", async (people) => {
  const { ada, dora } = await missTwo(people, { "lost-after": 600 });
  await dora.page.locator("#status", { hasText: "2 missing, fetching" }).waitFor();
  await dora.line("every other week").locator(".order").waitFor();
  const told = await dora.page.locator(".gap").allTextContents();
  assert.deepEqual(told, Array(2).fill("A message from Ada is missing, fetching"));
  await dora.picture("missing");
  // What waits survives a reload, as does what is missing.
  await dora.reload();
  await dora.page.locator("#status", { hasText: "2 missing, fetching" }).waitFor();
  await dora.picture("missing-dark", { dark: true });
  await dora.setFetches(true);
  await Promise.all([ada, dora].map((tab) => tab.has(4)));
  assert.deepEqual(await dora.log(), await ada.log());
});

household("what nobody supplies is lost, told, and waited for no more", async (people) => {
  const { dora } = await missTwo(people, { "lost-after": 1 });
  await dora.page.locator("#status", { hasText: "2 lost" }).waitFor();
  await dora.page.locator(".line:not(.waiting)", { hasText: "every other week" }).waitFor();
  const told = await dora.page.locator(".gap.lost").allTextContents();
  assert.deepEqual(told, Array(2).fill("A message from Ada is lost: nobody could supply it"));
  await dora.picture("lost");
  await dora.reload();
  assert.equal(await dora.page.locator(".gap.lost").count(), 2);
});

household("a tab that was duplicated is a participant of its own", async (people) => {
  const ada = await people.open("Ada");
  const opening = ada.page.waitForEvent("popup");
  await ada.page.evaluate(() => void window.open(location.href));
  const other = await people.adopt(await opening);
  await ada.ask("Who am I?");
  await other.choose("Who am I?");
  await other.has(1);
  assert.equal(await other.page.locator("#thread-byline strong").textContent(), "Ada");
  assert.equal(await ada.page.locator("#thread-byline strong").textContent(), "You");
});

household("what others write is text, whatever it looks like", async (people) => {
  const [ada, bea] = [await people.open("Ada"), await people.open("<img src=x onerror=alert(1)>")];
  await bea.ask("<script>alert(1)</script>", "<b>bold</b>");
  await ada.choose("<script>");
  assert.equal(await ada.page.locator("#thread-text").textContent(), "<b>bold</b>");
  assert.equal(await ada.page.locator("main :is(script, b, img)").count(), 0);
});
