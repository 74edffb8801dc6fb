// Calls of tools in a chat: what is used is shown, what acts asks first, and the question survives a reload.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { assert_accessible, assert_fits, kLooks } from "./accessibility.mjs";
import { close_page, finished_answer, launch, open_page, send } from "./browser.mjs";
import { start_program } from "./program.mjs";

let browser;
let program;
before(async () => {
  browser = await launch();
  program = await start_program({ args: ["--backend", "stub", "--tools", "calculator,notes,web_fetch"] });
});
after(async () => {
  await browser?.close();
  await program?.stop();
});

const kCalculate = '[call calculator {"expression":"6*7"}]';
const kFetch = '[call web_fetch {"url":"http://127.0.0.1/"}]';

test("a call is shown with what it was given and what it gave", async () => {
  const page = await open_page(browser, program.url);
  await send(page, kCalculate);
  await finished_answer(page);
  await page.click("details.tool summary");
  assert.match(await page.innerText("details.tool"), /Used calculator[\s\S]*6\*7[\s\S]*42/);
  const watched = await page.innerText("article.assistant");
  await page.reload();
  await page.click("details.tool summary");
  assert.equal(await page.innerText("article.assistant"), watched, "the same after a reload");
  await close_page(page);
});

test("what leaves the machine asks first; the question survives a reload; no is an answer", async () => {
  const page = await open_page(browser, program.url);
  await send(page, kFetch);
  await page.waitForSelector(".asking");
  assert.match(await page.innerText("#pill"), /Waiting for your decision/);
  assert.equal(await page.textContent("#announcer"), "A tool asks for your decision");
  await page.reload();
  await page.waitForSelector(".asking");
  await page.focus(".asking button:has-text('Deny')");
  await page.keyboard.press("Enter");
  await finished_answer(page);
  assert.match(await page.innerText("details.tool summary"), /web fetch was not allowed/);
  assert.equal(await page.locator(".asking").count(), 0);
  await close_page(page);
});

test("allowed once, refused by the tool itself: a result, not an error", async () => {
  const page = await open_page(browser, program.url);
  await send(page, kFetch);
  await page.click(".asking button:has-text('Allow once')");
  await finished_answer(page);
  assert.match(await page.innerText("details.tool summary"), /web fetch: no result/);
  assert.equal(await page.locator("article.assistant").getAttribute("data-state"), "complete");
  await close_page(page);
});

test("stopped while it asks", async () => {
  const page = await open_page(browser, program.url);
  await send(page, kFetch);
  await page.waitForSelector(".asking");
  await page.click("#stop-button");
  await finished_answer(page);
  assert.match(await page.innerText("details.tool summary"), /was interrupted/);
  await close_page(page);
});

test("without script", async () => {
  const page = await open_page(browser, program.url, { javaScriptEnabled: false });
  await page.fill("#message", kFetch);
  await page.click("#send-button", { noWaitAfter: true });
  await page.waitForSelector(".asking");
  await page.click(".asking button:has-text('Deny')", { noWaitAfter: true });
  await page.waitForSelector(".follow-end", { state: "attached" });
  await page.goto(page.url().replace(/\?.*/, ""));
  assert.match(await page.innerText("details.tool summary"), /was not allowed/);
  await close_page(page);
});

test("always is taken back on the page of tools", async () => {
  const page = await open_page(browser, program.url);
  await send(page, kFetch);
  await page.click(".asking button:has-text('Always')");
  await finished_answer(page);
  await page.click("[popovertarget=model-menu]");
  await page.click("a:has-text('Tools…')");
  await page.waitForURL(/\/tools$/);
  const fetch_row = page.locator(".model-list li", { hasText: "web_fetch" });
  assert.match(await fetch_row.innerText(), /because you always allow it/);
  await assert_accessible(page, "list of tools, one always allowed");
  await page.click("button:has-text('Ask again')");
  await page.waitForSelector("li:has-text('Asks before each call.')");
  await page.goto(program.url);
  await send(page, kFetch);
  await page.click(".asking button:has-text('Deny')");
  await finished_answer(page);
  await close_page(page);
});

for (const { colorScheme, width, what } of kLooks) {
  test(`axe: tools, ${what}`, async () => {
    const page = await open_page(browser, program.url, { colorScheme, viewport: { width, height: 844 } });
    await send(page, kCalculate);
    await finished_answer(page);
    await page.click("details.tool summary");
    await assert_accessible(page, `used, ${what}`);
    await send(page, kFetch);
    await page.waitForSelector(".asking");
    await assert_accessible(page, `asking, ${what}`);
    await assert_fits(page, what);
    await page.click(".asking button:has-text('Deny')");
    await finished_answer(page);
    await page.goto(`${program.url}/tools`);
    await assert_accessible(page, `list, ${what}`);
    await assert_fits(page, `list, ${what}`);
    await close_page(page);
  });
}
