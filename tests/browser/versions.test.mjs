// Answers again, edited questions and the way between versions, with script and without: nothing is overwritten.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { assert_accessible, assert_fits, kLooks } from "./accessibility.mjs";
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
const again_buttons = (page) => page.locator("form.retry button").filter({ visible: true });
const labels = async (page) => (await page.locator(".versions span").allInnerTexts()).join(" ");
const said = async (page) => (await page.locator(".said, article.assistant .prose").allInnerTexts()).map((text) => text.trim()).join(" | ");

async function assert_second(page) {
  assert.equal(await articles(page).count(), 1);
  assert.equal(await page.locator(".user").count(), 1);
  assert.equal((await articles(page).locator(".prose").allInnerTexts()).join("").trim(), kPart);
  assert.match(await articles(page).locator(".note.failed").innerText(), /The answer broke off/);
  assert.equal(await labels(page), "2/2");
}

test("another try, in place; the first one stays", async () => {
  const page = await open_page(browser, program.url);
  await send(page, kQuestion);
  await finished_answer(page);
  const first = await articles(page).getAttribute("id");
  await page.fill("#message", "half a thought");
  await again_buttons(page).click();
  await page.waitForSelector("#stop-button");
  assert.notEqual(await articles(page).getAttribute("id"), first);
  assert.equal(await again_buttons(page).count(), 0, "not while it is being written");
  await finished_answer(page);
  await assert_second(page);
  assert.equal(await page.inputValue("#message"), "half a thought", "the composer keeps its text");
  await page.reload();
  await assert_second(page);
  await page.click(".versions button[aria-label='Older version']");
  await page.waitForFunction((id) => document.getElementById(id), first);
  assert.equal(await labels(page), "1/2");
  await page.reload();
  assert.equal(await articles(page).getAttribute("id"), first, "it is shown from now on");
  await close_page(page);
});

test("the keyboard alone; a double click asks once", async () => {
  const page = await open_page(browser, program.url);
  await send(page, "hello");
  await finished_answer(page);
  await again_buttons(page).focus();
  await page.keyboard.press("Enter");
  await page.waitForSelector(".versions");
  await finished_answer(page);
  await again_buttons(page).dblclick();
  await page.waitForFunction(() => document.querySelector(".versions span").textContent === "3/3");
  await finished_answer(page);
  await page.reload();
  assert.equal(await labels(page), "3/3");
  await close_page(page);
});

test("an edited question begins another path, and the way back", async () => {
  const page = await open_page(browser, program.url);
  for (const text of ["[echo] one", "[echo] two", "[echo] three"]) {
    await send(page, text);
    await finished_answer(page);
  }
  await page.locator(".turn .edit-link").nth(1).click();
  await page.waitForSelector(".edit textarea:focus");
  assert.equal(await page.inputValue(".edit textarea"), "[echo] two");
  await page.fill(".edit textarea", "[echo] TWO");
  await page.click(".edit button.primary");
  await page.waitForSelector(".versions");
  await finished_answer(page);
  assert.equal(await said(page), "[echo] one | [echo] one | [echo] TWO | [echo] TWO");
  await page.click(".versions button[aria-label='Older version']");
  await page.waitForFunction(() => document.querySelectorAll(".user").length === 3);
  assert.equal(await said(page), "[echo] one | [echo] one | [echo] two | [echo] two | [echo] three | [echo] three");
  await close_page(page);
});

test("arrow up edits the last message; Cancel leaves it; an answer can be rewritten and deleted", async () => {
  const page = await open_page(browser, program.url);
  await send(page, "[echo] one");
  await finished_answer(page);
  await page.focus("#message");
  await page.keyboard.press("ArrowUp");
  await page.waitForSelector(".edit textarea:focus");
  await page.click("text=Cancel");
  await page.waitForSelector(".user");
  assert.equal(await page.locator(".edit").count(), 0);
  await page.locator("article .edit-link").click();
  await page.waitForSelector(".edit textarea:focus");
  await page.fill(".edit textarea", "**mine**");
  await page.click(".edit button.primary");
  await page.waitForSelector("article strong");
  assert.equal(await labels(page), "2/2");
  await page.locator("article .edit-link").click();
  await page.waitForSelector(".edit textarea");
  await page.click(".edit .danger-button");
  await page.waitForFunction(() => document.querySelectorAll("article.assistant").length === 0);
  await close_page(page);
});

test("one question is deleted with its answers, and what came after stays", async () => {
  const page = await open_page(browser, program.url);
  for (const text of ["[echo] one", "[echo] two", "[echo] three"]) {
    await send(page, text);
    await finished_answer(page);
  }
  await page.locator(".turn .edit-link").nth(1).click();
  await page.click(".edit >> text=Delete with its answers");
  await page.waitForSelector(".edit", { state: "detached" });
  assert.equal(await page.locator(".user").count(), 2);
  assert.equal(await said(page), "[echo] one | [echo] one | [echo] three | [echo] three");
  await page.reload();
  assert.equal(await said(page), "[echo] one | [echo] one | [echo] three | [echo] three");
  await close_page(page);
});

test("the server can’t be reached, or something runs: it says so, and the button stays", async () => {
  const page = await open_page(browser, program.url);
  page.expected.push("ERR_FAILED", "htmx", "409");
  await send(page, "[error] [long 5]");
  await finished_answer(page);
  await page.route("**/regenerate", (route) => route.abort());
  await again_buttons(page).click();
  await page.waitForSelector("#alert p");
  assert.match(await page.innerText("#alert"), /can’t be reached/);
  await page.unroute("**/regenerate");
  await again_buttons(page).click();
  await page.waitForSelector(".versions");
  await finished_answer(page);
  assert.equal(await page.locator("#alert p").count(), 0);
  await send(page, "[long 300] [slow]");
  await page.evaluate(() => document.querySelector(".versions button:not([disabled])").click());
  await page.waitForSelector("#alert p");
  assert.match(await page.innerText("#alert"), /wait for it, or stop it/);
  await page.click("#stop-button");
  await close_page(page);
});

test("without script", async () => {
  const page = await open_page(browser, program.url, { javaScriptEnabled: false });
  await page.fill("#message", kQuestion);
  await page.click("#send-button", { noWaitAfter: true });
  await page.waitForURL(/\/chat\//);
  await page.waitForSelector("#composer");
  const first = await articles(page).getAttribute("id");
  await again_buttons(page).click({ noWaitAfter: true });
  await page.waitForSelector(`#${first}`, { state: "detached" });
  await page.waitForSelector(".follow-end", { state: "attached" });
  await page.goto(page.url().replace(/\?.*/, ""));
  await assert_second(page);
  await page.click(".versions button[aria-label='Older version']");
  await page.waitForSelector("#composer");
  assert.equal(await labels(page), "1/2");
  await page.locator(".turn .edit-link").click();
  await page.waitForSelector(".edit textarea");
  await page.fill(".edit textarea", "[echo] else");
  await page.click(".edit button.primary", { noWaitAfter: true });
  await page.waitForSelector("#composer");
  assert.match(await page.innerText("#messages"), /\[echo\] else/);
  await close_page(page);
});

for (const { colorScheme, width, what } of kLooks) {
  test(`axe: versions and forms, ${what}`, async () => {
    const page = await open_page(browser, program.url, { colorScheme, viewport: { width, height: 844 } });
    await send(page, kQuestion);
    await finished_answer(page);
    await assert_accessible(page, `failed, ${what}`);
    await again_buttons(page).click();
    await page.waitForSelector("#stop-button");
    await assert_accessible(page, `again, ${what}`);
    await finished_answer(page);
    await assert_accessible(page, `failed again, ${what}`);
    await page.locator(".turn .edit-link").click();
    await page.waitForSelector(".edit textarea");
    await assert_accessible(page, `editing, ${what}`);
    await assert_fits(page, what);
    await close_page(page);
  });
}

for (const javaScriptEnabled of [true, false]) {
  test(`a fork begins with what was said, and goes its own way: ${javaScriptEnabled ? "with" : "without"} script`, async () => {
    const page = await open_page(browser, program.url, { javaScriptEnabled });
    const ask = async (text) => {
      if (javaScriptEnabled) {
        await send(page, text);
        return finished_answer(page);
      }
      await page.fill("#message", text);
      await page.click("#send-button", { noWaitAfter: true });
      await page.waitForURL(/\/chat\//);
      await page.waitForSelector("#composer");
      return page.goto(page.url().replace(/\?.*/, ""));
    };
    await ask("[echo] first");
    await ask("[echo] second");
    const chat = page.url().replace(/\?.*/, "");
    await page.locator("form.fork button").first().click();
    await page.waitForURL((url) => url.href !== chat);
    assert.equal(await said(page), "[echo] first | [echo] first");
    await ask("[echo] third");
    assert.equal(await said(page), "[echo] first | [echo] first | [echo] third | [echo] third");
    await page.goto(chat);
    assert.equal(await said(page), "[echo] first | [echo] first | [echo] second | [echo] second");
    await close_page(page);
  });
}
