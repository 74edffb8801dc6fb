// How full the context is, the ledger, and import and export, as people use them; what axe says of each page.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { assert_accessible, assert_fits, kLooks } from "./accessibility.mjs";
import { close_page, finished_answer, launch, open_page, send } from "./browser.mjs";
import { start_program } from "./program.mjs";

let browser;
let program;
let chat;
before(async () => {
  browser = await launch();
  program = await start_program();
  const seed = await open_page(browser, program.url);
  await send(seed, "Where is Rome?");
  await finished_answer(seed);
  chat = seed.url();
  await close_page(seed);
});
after(async () => {
  await browser?.close();
  await program?.stop();
});

test("the bar follows the answers, and a summary stands in the ledger", async () => {
  const page = await open_page(browser, chat);
  assert.match(await page.innerText("#context"), /^Context \d+ %$/);
  const width = () => page.getAttribute("#context .gauge rect", "width");
  const before_answer = await width();
  await send(page, "[long 400]");
  await finished_answer(page);
  await page.waitForFunction((old) =>
    document.querySelector("#context .gauge rect").getAttribute("width") !== old, before_answer);
  await page.click("#context a");
  await page.waitForSelector("table.ledger");
  const rows = page.locator("table.ledger tbody tr");
  const tokens = (await rows.locator("td:nth-child(2)").allInnerTexts()).map((text) => Number(text.replace(",", "")));
  const total = Number((await page.innerText("table.ledger tfoot td:nth-child(2)")).replace(",", ""));
  assert.equal(tokens.reduce((sum, n) => sum + n, 0), total, "the ledger adds up");
  await page.click("main button:has-text('Compact')");
  await page.waitForSelector("#summary-heading");
  assert.deepEqual((await rows.locator("td:nth-child(3)").allInnerTexts()).slice(-4),
    ["Summarised", "Summarised", "Kept", "Kept"]);
  await page.click("main a:has-text('Back to the chat')");
  assert.match(await page.innerText("#context"), /2 messages summarised/);
  assert.equal(await page.locator(".said").count(), 2, "the messages stay");
  await close_page(page);
});

test("the bar is green, then yellow, then red, each with a word; what is left out is told before sending", async (t) => {
  const own = await start_program();
  t.after(() => own.stop());
  const page = await open_page(browser, `${own.url}/settings`, { colorScheme: "light" });
  await page.fill("#context_size", "1024");
  await page.click("form.settings > button.primary");
  await page.waitForSelector("[role=status] >> text=Saved");
  await page.goto(own.url);
  const bar = async () => ({ level: await page.getAttribute(".context-link", "data-level"), text: await page.innerText("#context"),
    colour: await page.evaluate(() => getComputedStyle(document.querySelector(".gauge rect")).fill) });
  const seen = {};
  for (let i = 0; i < 40 && !seen.full; ++i) {
    const before_answer = await page.locator("#context .gauge").count() ? await page.innerText("#context") : "";
    await send(page, "[long 40]");
    await finished_answer(page);
    await page.waitForFunction((old) => document.querySelector("#context .gauge") && document.getElementById("context").innerText !== old, before_answer);
    const now = await bar();
    seen[now.level] ??= now;
    const percent = Number(now.text.match(/\d+/)[0]);
    assert.equal(now.level, percent < 70 ? "low" : percent < 90 ? "filling" : "full");
  }
  assert.match(seen.low.text, /^Context \d+ %$/);
  assert.match(seen.filling.text, /^Context \d+ %, filling up$/);
  assert.match(seen.full.text, /^Context \d+ %, nearly full$/);
  assert.equal(await page.locator(".context-link use[href='#i-alert']").count(), 1, "and a sign");
  assert.equal(new Set([seen.low, seen.filling, seen.full].map((one) => one.colour)).size, 3);
  for (let i = 0; i < 10; ++i) {
    await send(page, "[long 40]");
    await finished_answer(page);
  }
  assert.equal(await page.locator("article.assistant[data-state=complete]").count(), await page.locator("article.assistant").count(), "no answer failed");
  await page.click("#context a");
  await page.waitForSelector("table.ledger");
  assert.match(await page.innerText(".note"), /\d+ messages will not be read: the oldest ones don’t fit/);
  const fates = await page.locator("table.ledger tbody td:nth-child(3)").allInnerTexts();
  assert.match(fates.join(), /^Kept,(Left out,)+(Kept,?)+$/, "the oldest ones");
  await close_page(page);
});

test("what is exported is imported, without script", async () => {
  const page = await open_page(browser, program.url, { javaScriptEnabled: false });
  await page.click("a:has-text('Import and export')");
  const [file] = await Promise.all([page.waitForEvent("download"), page.click("a:has-text('Everything, as JSON')")]);
  const path = await file.path();
  const chats = JSON.parse(readFileSync(path, "utf8"));
  await page.setInputFiles("#import-file", path);
  await page.click("button:has-text('Import')");
  const note = await page.innerText("[role=status].note");
  assert.match(note, new RegExp(`^${chats.length} conversations? with \\d+ messages imported$`));
  await page.setInputFiles("#import-file", { name: "x.json", mimeType: "application/json", buffer: Buffer.from("[{") });
  page.expected.push("400");
  await page.click("button:has-text('Import')");
  assert.match(await page.innerText("[role=alert].note"), /byte 1: the file ends in the middle/);
  await close_page(page);
});

for (const { colorScheme, width, what } of kLooks) {
  test(`axe: ${what}`, async () => {
    const page = await open_page(browser, chat, { colorScheme, viewport: { width, height: 800 } });
    for (const path of [chat, `${chat}/context`, `${program.url}/archive`]) {
      await page.goto(path);
      await assert_accessible(page, path);
      await assert_fits(page, path);
    }
    await close_page(page);
  });
}
