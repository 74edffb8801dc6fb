// A chat of hundreds of messages is shown in pages: the newest first, earlier ones by a link, with script and without,
// and a message that was searched for wherever it stands.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { assert_accessible, assert_fits } from "./accessibility.mjs";
import { close_page, finished_answer, launch, open_page, send } from "./browser.mjs";
import { import_long_chat } from "./long_chat.mjs";
import { start_program } from "./program.mjs";

const kCount = 500;

let browser;
let program;
let chat;
before(async () => {
  browser = await launch();
  program = await start_program();
  chat = await import_long_chat(program.url, kCount);
});
after(async () => {
  await browser?.close();
  await program?.stop();
});

const questions = (page) => page.locator(".user .said").allTextContents();
const first_shown = async (page) => (await questions(page))[0];

test("the page of a long chat is small, and begins at its end", async () => {
  const html = await (await fetch(chat)).text();
  assert.ok(html.length <= 150_000, `${html.length} bytes`);
  const page = await open_page(browser, chat);
  const shown = await questions(page);
  assert.equal(shown.at(-1), `Question ${kCount / 2 - 1}`);
  assert.ok(shown.length >= 5 && shown.length <= 50, `${shown.length} questions`);
  await page.waitForFunction(() => {
    const box = document.getElementById("scroll");
    return box.scrollHeight - box.scrollTop - box.clientHeight < 2;
  });
  await assert_accessible(page, "a long chat");
  await close_page(page);
});

test("earlier messages come above, and what is read stays where it is", async () => {
  const page = await open_page(browser, chat);
  const before = await first_shown(page);
  await page.evaluate(() => { document.getElementById("scroll").scrollTop = 0; });
  const first = page.locator(".turn").first();
  const handle = await first.elementHandle();
  const top = (await handle.boundingBox()).y;
  await page.click("#earlier a");
  await page.waitForFunction((text) => document.querySelector(".user .said").textContent !== text, before);
  await page.waitForTimeout(200);
  assert.ok(Math.abs((await handle.boundingBox()).y - top) <= 2, "it moved");
  const shown = await questions(page);
  assert.equal(new Set(shown).size, shown.length);
  assert.deepEqual(shown, shown.map((_, i) => `Question ${kCount / 2 - shown.length + i}`), "in order, none left out");
  assert.ok(await page.evaluate(() => document.activeElement.closest("#earlier") !== null), "the keyboard goes on there");
  await page.keyboard.press("Enter");
  await page.waitForFunction((count) => document.querySelectorAll(".turn").length > count, shown.length);
  await close_page(page);
});

test("all of it can be reached without script, both ways", async () => {
  const page = await open_page(browser, chat, { javaScriptEnabled: false });
  let seen = await questions(page);
  for (let pages = 0; await page.locator("#earlier a").count() > 0; ++pages) {
    assert.ok(pages < 60);
    await page.click("#earlier a");
    await page.waitForSelector(".turn");
    seen = [...await questions(page), ...seen];
  }
  assert.deepEqual(seen, Array.from({ length: kCount / 2 }, (_, i) => `Question ${i}`));
  const last = (await questions(page)).at(-1);
  await page.click("text=Later messages");
  assert.notEqual((await questions(page)).at(-1), last);
  await page.click("text=Newest messages");
  assert.equal((await questions(page)).at(-1), `Question ${kCount / 2 - 1}`);
  await close_page(page);
});

test("a message that was searched for is shown, however old it is", async () => {
  const page = await open_page(browser, program.url);
  await page.fill("#search", "Number 17.");
  await page.waitForSelector("#history .hit-text mark");
  await page.locator("#history a").first().click();
  await page.waitForURL(/\?at=[0-9a-f]{32}#m-[0-9a-f]{32}$/);
  await page.waitForFunction(() => {
    const hit = document.getElementById(location.hash.slice(1));
    const box = hit?.getBoundingClientRect();
    return box && box.top >= 0 && box.top < innerHeight && /Number 17\./.test(hit.textContent);
  });
  assert.equal(await page.locator("text=Newest messages").count(), 1);
  await assert_accessible(page, "an old page");
  await page.setViewportSize({ width: 320, height: 800 });
  await assert_fits(page, "an old page");
  await close_page(page);
});

test("sending from an old page goes on at the end, and leaves no draft behind", async () => {
  const own = await import_long_chat(program.url, 100);
  const page = await open_page(browser, own);
  const html = await (await fetch(`${own}`)).text();
  const [, before] = html.match(/\?before=([0-9a-f]{32})/);
  await page.goto(`${own}?before=${before}`);
  await page.fill("#message", "[echo] from an old page");
  await page.keyboard.press("Enter");
  await page.waitForURL((url) => url.pathname === new URL(own).pathname && !url.search.includes("before"));
  await page.waitForSelector("#send-button");
  assert.equal((await questions(page)).at(-1), "[echo] from an old page");
  assert.equal(await page.inputValue("#message"), "");
  await page.goto(own);
  assert.equal(await page.inputValue("#message"), "");
  await send(page, "[echo] and again");
  assert.match(await finished_answer(page), /and again/);
  await close_page(page);
});

test("editing and deleting in a long chat keep its page small", async () => {
  const own = await import_long_chat(program.url, 200);
  const page = await open_page(browser, own);
  await page.locator(".edit-link").last().click();
  await page.fill(".edit textarea", "My own words");
  await page.click(".edit .primary");
  await page.waitForSelector(".prose:has-text('My own words')");
  assert.ok(await page.locator("[data-message]").count() < 60);
  assert.equal(await page.locator("#earlier a").count(), 1);
  await page.goto(`${own}?at=${"f".repeat(32)}`);
  assert.equal(await page.locator("#earlier a").count(), 1, "an unknown message: the newest page");
  await close_page(page);
});
