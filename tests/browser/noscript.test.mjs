// Everything without JavaScript: sending, reading, stopping, renaming, deleting, the drawer.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { answer_text, close_page, counted_words, launch, open_page } from "./browser.mjs";
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

const kPlain = { javaScriptEnabled: false };

async function send_form(page, text) {
  await page.fill("#message", text);
  await page.click("#send-button", { noWaitAfter: true });
}

const loaded = (page) => page.waitForSelector("article.assistant ~ * , #composer", { state: "attached" })
  .then(() => page.waitForLoadState("load"));

test("send a message and read the answer, twice", async () => {
  const page = await open_page(browser, program.url, kPlain);
  await send_form(page, "first words");
  await page.waitForURL(/\/chat\//);
  await loaded(page);
  assert.match(await answer_text(page), /You wrote: first words/);
  await send_form(page, "[markdown] second words");
  await page.waitForSelector(".prose table");
  await loaded(page);
  assert.equal(await page.locator(".user").count(), 2);
  assert.equal(await page.locator("article.assistant").count(), 2);
  const streamed = await page.locator("article.assistant").last().locator(".prose").allInnerTexts();
  await page.goto(page.url().replace(/\?.*/, ""));
  assert.equal(streamed.join("\n").replace(/\s+/g, " ").trim(), (await answer_text(page)).replace(/\s+/g, " "));
  await close_page(page);
});

test("the real model answers without script", { skip: !real_model() && "no model" }, async (t) => {
  const real = await start_program({ args: ["-m", real_model()] });
  t.after(() => real.stop());
  const page = await open_page(browser, real.url, kPlain);
  await send_form(page, "What is the capital of France?");
  await page.waitForURL(/\/chat\//);
  await loaded(page);
  assert.match(await answer_text(page), /Paris/);
  await close_page(page);
});

test("blocks appear while the answer is being written", async () => {
  const page = await open_page(browser, program.url, kPlain);
  await send_form(page, "[markdown] [slow]");
  await page.waitForSelector("article.assistant h3");
  assert.equal(await page.locator("article.assistant table").count(), 0, "the table comes later");
  assert.ok(await page.isVisible(".follow-bar"));
  await page.waitForSelector("article.assistant table");
  await loaded(page);
  assert.equal(await page.isVisible(".follow-bar"), false);
  assert.ok(await page.isVisible("#send-button"));
  await close_page(page);
});

test("stop while it is being written", async () => {
  const page = await open_page(browser, program.url, kPlain);
  await send_form(page, "[long 400] [slow]");
  await page.waitForSelector(".follow-bar button");
  await new Promise((resolve) => setTimeout(resolve, 500));
  await page.click(".follow-bar button");
  await page.waitForSelector("#send-button");
  const text = await answer_text(page);
  assert.ok(text.length > 0 && text === counted_words(text.split(" ").length), text);
  assert.match(await page.innerText(".note"), /You stopped/);
  await close_page(page);
});

test("a page that was opened meanwhile offers to watch", async () => {
  const page = await open_page(browser, program.url, kPlain);
  await send_form(page, "[long 100] [slow]");
  await page.waitForSelector(".follow-bar button");
  const other = await open_page(browser, page.url().replace(/\?.*/, ""), kPlain);
  await other.waitForSelector("noscript a");
  await other.click("noscript a");
  await loaded(other);
  assert.equal(await answer_text(other), counted_words(100));
  await close_page(page);
  await close_page(other);
});

test("thoughts, rename and delete", async () => {
  const page = await open_page(browser, program.url, kPlain);
  await page.check("#thinking");
  await page.selectOption("#budget", "256");
  await send_form(page, "hello");
  await page.waitForURL(/\/chat\//);
  await loaded(page);
  assert.match(await page.innerText("details.aside summary"), /Thought for/);
  assert.ok(await page.isChecked("#thinking"));
  assert.equal(await page.inputValue("#budget"), "256");
  await page.click("[popovertarget=chat-menu]");
  await page.fill("#new-title", "A new title");
  await page.click("#chat-menu button:has-text('Rename')");
  await page.waitForSelector("h1:has-text('A new title')");
  await page.click("[popovertarget=chat-menu]");
  await page.click("#chat-menu summary");
  await page.click("#chat-menu .danger-button");
  await page.waitForURL(`${program.url}/?deleted=*`);
  assert.equal(await page.locator(".chats a:has-text('A new title')").count(), 0);
  await page.click("#undo button");
  await page.waitForSelector("h1:has-text('A new title')");
  await page.fill("#search", "NEW TITLE");
  await page.press("#search", "Enter");
  await page.waitForURL(/\/search\?q=/);
  assert.equal(await page.innerText("#content mark"), "new title");
  assert.equal(await page.inputValue("#search"), "NEW TITLE");
  await close_page(page);
});

test("an empty and a too long message are refused in words, and the text is kept", async () => {
  const page = await open_page(browser, program.url, kPlain);
  page.expected.push("400", "413");
  await page.evaluate(() => { document.getElementById("message").removeAttribute("required"); });
  await send_form(page, "  ");
  await page.waitForSelector(".trouble");
  assert.match(await page.innerText(".trouble"), /message is empty/);
  await page.goto(program.url);
  await send_form(page, "x".repeat(300000));
  await page.waitForSelector(".trouble");
  assert.match(await page.innerText(".trouble"), /262144/);
  assert.equal((await page.inputValue(".trouble textarea")).length, 300000);
  await close_page(page);
});

test("the drawer opens on a phone", async () => {
  const page = await open_page(browser, program.url, { ...kPlain, viewport: { width: 360, height: 740 } });
  assert.equal(await page.isVisible("#sidebar"), false);
  await page.click("[aria-label='Open conversations']");
  assert.ok(await page.isVisible("#sidebar"));
  await page.click("[aria-label='Close conversations']");
  assert.equal(await page.isVisible("#sidebar"), false);
  await close_page(page);
});
