// An answer belongs to the server: reloads, closed tabs, second tabs and cut connections lose and repeat nothing.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { answer_text, close_page, counted_words, finished_answer, launch, open_page, send, wait_for_words } from "./browser.mjs";
import { start_program } from "./program.mjs";

let browser;
let program;
before(async () => {
  browser = await launch();
  program = await start_program();
});
after(async () => {
  await browser?.close();
  await program?.stop();
});

const kWords = 80;
const kQuestion = `[long ${kWords}] [slow]`;

async function assert_whole(page) {
  assert.equal(await finished_answer(page), counted_words(kWords));
  await page.reload();
  assert.equal(await answer_text(page), counted_words(kWords), "as stored");
}

test("reload in the middle of an answer, three times", async () => {
  const page = await open_page(browser, program.url);
  await send(page, kQuestion);
  for (const words of [8, 25, 50]) {
    await wait_for_words(page, words);
    await page.reload();
    const shown = await answer_text(page);
    assert.ok(counted_words(kWords).startsWith(shown) && shown.split(" ").length >= words, shown);
  }
  await assert_whole(page);
  await close_page(page);
});

test("a closed tab stops nothing; reopened, it shows the rest", async () => {
  const context = await browser.newContext();
  const page = await open_page(browser, program.url, { context });
  await send(page, kQuestion);
  await page.waitForURL(/\/chat\//);
  await wait_for_words(page, 10);
  const url = page.url();
  await page.close();
  await new Promise((resolve) => setTimeout(resolve, 500));
  const again = await open_page(browser, url, { context });
  await wait_for_words(again, 15);
  await assert_whole(again);
  await close_page(again);
});

test("a second tab shows the same, also one that was open before", async () => {
  const context = await browser.newContext();
  const first = await open_page(browser, program.url, { context });
  await send(first, "hello");
  await finished_answer(first);
  const second = await open_page(browser, first.url(), { context });
  await second.waitForSelector("#send-button");
  await first.bringToFront();
  await send(first, kQuestion);
  await second.bringToFront();
  await second.waitForSelector("#stop-button");
  const third = await open_page(browser, first.url(), { context });
  const texts = await Promise.all([first, second, third].map((page) => finished_answer(page)));
  for (const text of texts) assert.equal(text, counted_words(kWords));
  for (const page of [first, second]) assert.equal(await page.locator(".user").count(), 2);
  await context.close();
});

test("a second tab sees another try while it is being written", async () => {
  const context = await browser.newContext();
  const first = await open_page(browser, program.url, { context });
  await send(first, kQuestion);
  await finished_answer(first);
  const second = await open_page(browser, first.url(), { context });
  await second.waitForSelector("#send-button");
  await first.locator("form.retry button").filter({ visible: true }).click();
  await second.waitForSelector("#stop-button");  // it was told: nothing else has it look
  for (const page of [first, second]) assert.equal(await finished_answer(page), counted_words(kWords));
  await context.close();
});

test("another browser learns of the answer when its window is looked at", async () => {
  const page = await open_page(browser, program.url);
  await send(page, "hello");
  await finished_answer(page);
  const other = await open_page(browser, page.url());
  await other.waitForSelector("#send-button");
  await send(page, kQuestion);
  await other.evaluate(() => dispatchEvent(new Event("focus")));
  await other.waitForFunction(() => document.querySelectorAll("article.assistant").length === 2);
  assert.equal(await finished_answer(other), counted_words(kWords));
  await close_page(page);
  await close_page(other);
});

test("a connection that is cut again and again", async () => {
  const context = await browser.newContext();
  const page = await open_page(browser, program.url, { context });
  page.expected.push("ERR_INTERNET_DISCONNECTED", "ERR_NETWORK", "htmx", "network error");
  await send(page, kQuestion);
  for (const words of [5, 15, 30]) {
    await wait_for_words(page, words);
    await context.setOffline(true);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await context.setOffline(false);
  }
  await assert_whole(page);
  await close_page(page);
});

for (const signal of ["SIGTERM", "SIGKILL"]) {
  test(`the server is ended by ${signal} in the middle of an answer and comes back: the open page goes on`, async (t) => {
    let own = await start_program();
    t.after(() => own.stop());
    const page = await open_page(browser, own.url);
    page.expected.push("ERR_", "htmx", "network error", "Failed to fetch");
    await send(page, kQuestion);
    await page.waitForURL(/\/chat\//);
    await page.evaluate(() => { globalThis.same_page = true; });
    await wait_for_words(page, 10);
    await own.stop({ keep: true, signal });
    const shown = await answer_text(page);
    assert.ok(counted_words(kWords).startsWith(shown), shown);
    const args = ["--backend", "stub", "--port", new URL(own.url).port];
    own = await start_program({ data_dir: own.folder, args });
    await wait_for_words(page, kWords, 60000);
    assert.ok(await page.evaluate(() => globalThis.same_page), "it was not loaded again");
    await assert_whole(page);
    assert.equal(await page.locator(".user").count(), 1);
    assert.equal(await page.locator("article.assistant").count(), 1);
    await close_page(page);
  });
}

test("a phone that is locked while an answer is written shows all of it when it is unlocked", async () => {
  const context = await browser.newContext({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  const page = await open_page(browser, program.url, { context });
  page.expected.push("ERR_INTERNET_DISCONNECTED", "ERR_NETWORK", "htmx", "network error");
  await send(page, kQuestion);
  await page.waitForURL(/\/chat\//);
  const chat = page.url();
  const session = await context.newCDPSession(page);
  const lock = async (state) => session.send("Page.setWebLifecycleState", { state });
  const answered = async () => /You stopped|tokens\/s/.test(await (await fetch(chat)).text());
  await wait_for_words(page, 5);
  await lock("frozen");  // nothing of the page runs
  await context.setOffline(true);  // and the radio sleeps
  for (let i = 0; i < 300 && !await answered(); ++i) await new Promise((resolve) => setTimeout(resolve, 100));
  await context.setOffline(false);
  await lock("active");
  await assert_whole(page);
  await close_page(page);
});

test("a first connection that fails is tried again", async () => {
  const page = await open_page(browser, program.url);
  page.expected.push("ERR_FAILED", "htmx");
  let refused = 0;
  await page.route("**/stream?*", (route) => (++refused <= 2 ? route.abort() : route.continue()));
  await send(page, kQuestion);
  await assert_whole(page);
  assert.ok(refused >= 3);
  await close_page(page);
});
