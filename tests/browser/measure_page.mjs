// Prints what a long chat costs a browser: node tests/browser/measure_page.mjs (after tests/browser/run.sh was run once).
// A chat of 500 messages with code: bytes, time until it is shown, the longest task and layout shifts while an answer comes
// at about 100 tokens/s, and the same while the page gets earlier messages. The stub answers; nothing is asserted.
import { resolve } from "node:path";
import { close_page, finished_answer, launch, open_page, send } from "./browser.mjs";
import { import_long_chat } from "./long_chat.mjs";
import { start_program } from "./program.mjs";

process.env.NOTSO_BIN ||= resolve("build/release/notso");
const kRuns = 5;
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const show = (what, value) => console.log(`${what.padEnd(52)} ${value}`);

const browser = await launch();
const program = await start_program();
const chat = await import_long_chat(program.url, 500);

const html = await fetch(chat, { headers: { "accept-encoding": "identity" } }).then((response) => response.text());
show("page of 500 messages, bytes", Buffer.byteLength(html));

const opened = [];
for (let run = 0; run < kRuns + 1; ++run) {
  const page = await open_page(browser, chat);
  await page.waitForLoadState("load");
  opened.push(await page.evaluate(() => new Promise((done) => {
    const seen = () => performance.getEntriesByName("first-contentful-paint")[0]?.startTime;
    const wait = () => (seen() ? done({ paint: seen(), ready: performance.timing.domContentLoadedEventEnd - performance.timing.navigationStart })
      : requestAnimationFrame(wait));
    wait();
  })));
  await close_page(page);
}
opened.shift();  // the first one fills caches
show("until it is painted, ms (median of 5)", Math.round(median(opened.map(({ paint }) => paint))));
show("until its script has run, ms (median of 5)", Math.round(median(opened.map(({ ready }) => ready))));

async function watched(page, what, action) {
  await page.evaluate(() => {
    globalThis.tasks = [];
    globalThis.shifts = 0;
    globalThis.watchers?.forEach((watcher) => watcher.disconnect());
    const tasks = new PerformanceObserver((list) => globalThis.tasks.push(...list.getEntries().map((entry) => entry.duration)));
    tasks.observe({ type: "longtask" });
    const shifts = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) if (!entry.hadRecentInput) globalThis.shifts += entry.value;
    });
    shifts.observe({ type: "layout-shift" });
    globalThis.watchers = [tasks, shifts];
  });
  await action();
  await page.waitForTimeout(300);
  const { tasks, shifts } = await page.evaluate(() => ({ tasks: globalThis.tasks, shifts: globalThis.shifts }));
  show(`${what}: tasks over 50 ms`, tasks.length > 0 ? `${tasks.length}, longest ${Math.round(Math.max(...tasks))} ms` : "none");
  show(`${what}: layout shift`, shifts.toFixed(4));
}

const page = await open_page(browser, chat);
await page.waitForTimeout(1000);
await watched(page, "streaming 800 words", async () => {
  await send(page, "[long 800]");
  await finished_answer(page);
});
show("  at tokens/s", (await page.locator(".stat summary").last().innerText()).match(/[\d.]+ tokens\/s/)?.[0]);
await watched(page, "streaming code and a table", async () => {
  await send(page, "[think] [markdown] [slow]");
  await finished_answer(page);
});
await watched(page, "earlier messages, five times", async () => {
  for (let i = 0; i < 5; ++i) {
    const before = await page.locator(".turn").count();
    await page.click("#earlier a");
    await page.waitForFunction((count) => document.querySelectorAll(".turn").length > count, before);
  }
});
await watched(page, "streaming 300 words below all that", async () => {
  await send(page, "[long 300]");
  await finished_answer(page);
});
await close_page(page);
await browser.close();
await program.stop();
