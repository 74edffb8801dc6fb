// A failed answer is asked for again by one click, with script and without: it stays, and a new answer follows it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { assert_accessible, assert_fits } from "./accessibility.mjs";
import { close_page, counted_words, finished_answer, launch, open_page, send } from "./browser.mjs";
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

const kQuestion = "[error] [long 80] [slow]";
const kPart = counted_words(40);  // it breaks off half-way
const articles = (page) => page.locator("article.assistant");
const retry_buttons = (page) => page.locator("form.retry button").filter({ visible: true });

async function assert_both(page) {
  assert.equal(await articles(page).count(), 2);
  assert.equal(await page.locator(".user").count(), 1, "the question stands once");
  for (const i of [0, 1]) {
    assert.equal((await articles(page).nth(i).locator(".prose").allInnerTexts()).join("").trim(), kPart);
    assert.match(await articles(page).nth(i).locator(".note.failed").innerText(), /The answer broke off/);
  }
  assert.equal(await retry_buttons(page).count(), 1, "only the last answer can be retried");
}

test("one click, in place", async () => {
  const page = await open_page(browser, program.url);
  await send(page, kQuestion);
  await finished_answer(page);
  const first = await articles(page).first().getAttribute("id");
  await page.fill("#message", "half a thought");
  await retry_buttons(page).click();
  await page.waitForSelector("#stop-button");
  assert.equal(await articles(page).count(), 2);
  assert.equal(await articles(page).first().getAttribute("id"), first);
  assert.equal(await retry_buttons(page).count(), 0, "not while it is being written");
  await finished_answer(page);
  await assert_both(page);
  assert.equal(await page.inputValue("#message"), "half a thought", "the composer keeps its text");
  await page.reload();
  await assert_both(page);
  await close_page(page);
});

test("the keyboard alone; a double click asks once", async () => {
  const page = await open_page(browser, program.url);
  await send(page, "[error] [long 5]");
  await finished_answer(page);
  await retry_buttons(page).focus();
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.querySelectorAll("article.assistant").length === 2);
  await finished_answer(page);
  await retry_buttons(page).dblclick();
  await page.waitForFunction(() => document.querySelectorAll("article.assistant").length === 3);
  await finished_answer(page);
  await page.reload();
  assert.equal(await articles(page).count(), 3);
  await close_page(page);
});

test("a stopped answer too; a whole one not", async () => {
  const page = await open_page(browser, program.url);
  await send(page, "[long 300] [slow]");
  await page.click("#stop-button");
  await finished_answer(page);
  assert.equal(await retry_buttons(page).count(), 1);
  await send(page, "hello");
  await finished_answer(page);
  assert.equal(await retry_buttons(page).count(), 0);
  await close_page(page);
});

test("the server can’t be reached: it says so, and the button stays", async () => {
  const page = await open_page(browser, program.url);
  page.expected.push("ERR_FAILED", "htmx");
  await send(page, "[error] [long 5]");
  await finished_answer(page);
  await page.route("**/retry", (route) => route.abort());
  await retry_buttons(page).click();
  await page.waitForSelector("#alert p");
  assert.match(await page.innerText("#alert"), /can’t be reached/);
  await page.unroute("**/retry");
  await retry_buttons(page).click();
  await page.waitForFunction(() => document.querySelectorAll("article.assistant").length === 2);
  await finished_answer(page);
  assert.equal(await page.locator("#alert p").count(), 0);
  await close_page(page);
});

test("without script", async () => {
  const page = await open_page(browser, program.url, { javaScriptEnabled: false });
  await page.fill("#message", kQuestion);
  await page.click("#send-button", { noWaitAfter: true });
  await page.waitForURL(/\/chat\//);
  await page.waitForSelector("#composer");
  await retry_buttons(page).click({ noWaitAfter: true });
  await page.waitForFunction(() => document.querySelectorAll("article.assistant").length === 2);
  await page.waitForSelector("#composer");
  await assert_both(page);
  await page.goto(page.url().replace(/\?.*/, ""));
  await assert_both(page);
  await close_page(page);
});

for (const colorScheme of ["light", "dark"]) {
  for (const width of [1280, 390]) {
    const what = `${colorScheme}, ${width} px`;
    test(`axe: retried, ${what}`, async () => {
      const page = await open_page(browser, program.url, { colorScheme, viewport: { width, height: 844 } });
      await send(page, kQuestion);
      await finished_answer(page);
      await assert_accessible(page, `failed, ${what}`);
      await retry_buttons(page).click();
      await page.waitForSelector("#stop-button");
      await assert_accessible(page, `retrying, ${what}`);
      await finished_answer(page);
      await assert_accessible(page, `failed again, ${what}`);
      await assert_fits(page, what);
      await close_page(page);
    });
  }
}
