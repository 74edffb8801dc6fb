// Answers that were cut go on, and messages wait for the end of an answer: with script and without.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { assert_accessible, assert_fits } from "./accessibility.mjs";
import { close_page, counted_words, finished_answer, launch, open_page, send, wait_for_words } from "./browser.mjs";
import { real_model, start_program } from "./program.mjs";

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

const prose = async (page) => (await page.locator("article.assistant .prose").last().innerText()).trim();
const said = async (page) => (await page.locator(".said").allInnerTexts()).map((text) => text.trim());
const shown = (page, word) => page.waitForFunction((w) => document.querySelector("article.assistant:last-of-type .prose")?.innerText.includes(w), word);

test("a stopped answer goes on without a seam; another tab sees it", async () => {
  const page = await open_page(browser, program.url);
  await send(page, "[long 60] [slow]");
  await shown(page, "word5");
  await page.keyboard.press("Escape");
  await page.waitForSelector("form.continue button");
  await assert_accessible(page);
  const cut = await prose(page);
  const other = await open_page(browser, page.url());
  await page.click("form.continue button");
  await page.waitForSelector("#stop-button");
  assert.ok((await prose(page)).startsWith(cut), "what was written stays");
  await other.evaluate(() => dispatchEvent(new Event("focus")));  // somebody comes back to it
  await other.waitForSelector("#stop-button");
  await finished_answer(other);
  assert.equal(await prose(other), counted_words(60));
  await finished_answer(page);
  assert.equal(await prose(page), counted_words(60));
  assert.equal(await page.locator("article.assistant").count(), 1);
  assert.equal(await page.locator("form.continue").count(), 0);
  await close_page(other);
  await close_page(page);
});

test("the real model goes on with a stopped answer as if it had not been stopped", { skip: !real_model() && "no model" }, async (t) => {
  const real = await start_program({ args: ["-m", real_model(), "--background", "off"] });
  t.after(() => real.stop());
  const page = await open_page(browser, `${real.url}/settings`);
  await page.fill("#temperature", "0");
  await page.fill("#max_tokens", "600");  // long enough to be stopped in the middle
  await page.click("form.settings > button.primary");
  await page.waitForSelector("[role=status] >> text=Saved");
  const kStory = "Tell me a long story about a dragon and a cat.";
  await page.goto(real.url);
  await send(page, kStory);
  await finished_answer(page);
  const whole = await prose(page);
  await page.goto(real.url);
  await send(page, kStory);
  await wait_for_words(page, 3);
  await page.keyboard.press("Escape");
  await finished_answer(page);
  const cut = await prose(page);
  assert.ok(whole.startsWith(cut.slice(0, -1)) && cut.length < whole.length, `${cut} | ${whole}`);
  await page.click("form.continue button");
  await page.waitForSelector("#stop-button");
  await finished_answer(page);
  assert.ok((await prose(page)).startsWith(whole), `${await prose(page)} | ${whole}`);
  await close_page(page);
});

test("messages wait in line, are withdrawn, and sent", async () => {
  const page = await open_page(browser, program.url);
  await send(page, "[long 400] [slow]");
  await shown(page, "word3");
  for (const text of ["second", "third", "fourth"]) {
    await page.fill("#message", text);
    await page.keyboard.press("Enter");
    await page.waitForFunction((t) => document.querySelector("#waiting")?.innerText.includes(t), text);
    assert.equal(await page.inputValue("#message"), "");
  }
  await assert_accessible(page);
  await assert_fits(page);
  await page.locator("#waiting li", { hasText: "third" }).getByRole("button").click();
  await page.waitForFunction(() => document.getElementById("message").value === "third");
  assert.equal(await page.locator("#waiting li").count(), 2);
  await page.reload();
  assert.equal(await page.locator("#waiting li").count(), 2, "they are kept by the server");
  await page.locator("#waiting").getByRole("button", { name: "Stop and send" }).click();
  await page.waitForFunction(() => document.querySelectorAll("article.assistant").length === 3);
  await finished_answer(page);
  assert.deepEqual((await said(page)).slice(0, 3), ["[long 400] [slow]", "second", "fourth"]);
  assert.match(await prose(page), /You wrote: fourth/);
  assert.equal(await page.locator("#waiting li").count(), 0);
  await close_page(page);
});

test("without script", async () => {
  const page = await open_page(browser, program.url, { javaScriptEnabled: false });
  await page.fill("#message", "[long 400] [slow]");
  await page.click("#send-button");
  await page.waitForSelector(".follow-bar");
  const chat = page.url().split("?")[0];
  await page.goto(chat);
  await page.fill("#message", "second");
  await page.click("#later-button", { noWaitAfter: true });
  await page.waitForSelector(".follow-bar");
  await page.goto(chat);
  assert.equal(await page.locator("#waiting li").count(), 1);
  await page.locator("#waiting li").getByRole("button").click();
  await page.waitForSelector("#message");
  assert.equal(await page.inputValue("#message"), "second");
  await page.goto(chat);
  await page.click("#stop-button");
  await page.waitForSelector("form.continue button");
  assert.equal(await page.locator("#waiting li").count(), 0);
  await page.click("form.continue button", { noWaitAfter: true });
  await page.waitForSelector(".follow-bar");
  await page.goto(chat);
  await page.click("#stop-button");
  await close_page(page);
});
