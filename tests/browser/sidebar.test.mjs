// The list of conversations: searching by keyboard, pinning, deleting with undo; what axe says of each state.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { checker, kLooks } from "./accessibility.mjs";
import { close_page, finished_answer, launch, open_page, send } from "./browser.mjs";
import { import_long_chat } from "./long_chat.mjs";
import { start_program } from "./program.mjs";

let browser;
let program;
before(async () => {
  browser = await launch();
  program = await start_program();
  for (const text of ["Where is <b>Rome</b> & why", "A recipe with onions", "東京の天気はどうですか"]) {
    const seed = await open_page(browser, program.url);
    await send(seed, text);
    await finished_answer(seed);
    await close_page(seed);
  }
});
after(async () => {
  await browser?.close();
  await program?.stop();
});

const listed = async (page) => (await page.locator("#history .chats a").allInnerTexts()).join(" | ");
const hits = (page) => page.locator("#history .hits a");
const hit_count = (page, count) => page.waitForFunction((wanted) =>
  document.querySelectorAll("#history .hits a").length === wanted, count);

test("search by keyboard alone, and on to the message", async () => {
  const page = await open_page(browser, program.url);
  const before = await listed(page);
  await page.keyboard.press("Control+k");
  assert.equal(await page.evaluate(() => document.activeElement.id), "search");
  await page.keyboard.insertText("ROME");
  await hit_count(page, 2);
  assert.equal(await page.innerText("#search-status"), "2 results");
  assert.deepEqual(await page.locator("#history mark").allInnerTexts(), ["Rome", "Rome"]);
  assert.match(await hits(page).first().innerText(), /Where is <b>Rome<\/b> & why\s+Today/);
  await page.keyboard.press("Escape");
  await page.waitForFunction(() => !document.querySelector("#history .hits"));
  assert.equal(await page.inputValue("#search"), "");
  assert.equal(await listed(page), before);
  await page.keyboard.insertText("東京");
  await hit_count(page, 2);
  await page.keyboard.press("Enter");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("ArrowUp");
  assert.equal(await page.evaluate(() => document.activeElement.id), "search");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/chat\/[0-9a-f]{32}\?at=[0-9a-f]{32}#m-[0-9a-f]{32}$/);
  const shown = new URL(page.url()).hash;
  assert.match(await page.locator(shown).innerText(), /東京/);
  await page.keyboard.press("Control+k");
  await page.keyboard.insertText("%_*\"' NEAR(");
  await page.waitForSelector("#history .quiet-note");
  assert.match(await page.innerText("#history"), /Nothing found for “%_\*"' NEAR\(”/);
  await page.keyboard.press("Escape");
  await page.waitForSelector("#history [aria-current]");
  await page.keyboard.press("Escape");
  assert.equal(await page.evaluate(() => document.activeElement.id), "message");
  await close_page(page);
});

test("what was typed last is what is shown", async () => {
  const page = await open_page(browser, program.url);
  await page.route("**/search?q=onion", async (route) => {
    await new Promise((done) => { setTimeout(done, 1000); });
    await route.continue().catch(() => {});
  });
  page.expected.push("ERR_ABORTED", "ERR_FAILED");
  const slow = page.waitForRequest("**/search?q=onion");
  await page.fill("#search", "onion");
  await slow;
  await page.fill("#search", "rome");
  await hit_count(page, 2);
  await page.waitForTimeout(1200);
  assert.match(await hits(page).first().innerText(), /Rome/);
  await close_page(page);
});

test("pin, unpin; delete, undo", async () => {
  const page = await open_page(browser, program.url);
  await page.click(".chats a:has-text('onions')");
  await page.waitForURL(/\/chat\//);
  const url = page.url();
  await page.click("[popovertarget=chat-menu]");
  await page.click("#chat-menu .pin button");
  await page.waitForSelector("h2:has-text('Pinned')");
  assert.match(await listed(page), /^A recipe with onions/);
  await page.click("[popovertarget=chat-menu]");
  await page.click("#chat-menu button:has-text('Unpin this chat')");
  await page.waitForFunction(() => !/Pinned/.test(document.getElementById("history").innerText));
  await page.click("[popovertarget=chat-menu]");
  await page.click("#chat-menu summary");
  await page.click("#chat-menu .danger-button");
  await page.waitForSelector("#undo");
  assert.match(await page.innerText("#undo"), /Deleted\.\s+Undo/);
  assert.doesNotMatch(await listed(page), /onions/);
  await page.focus("#undo button");
  await page.keyboard.press("Enter");
  await page.waitForURL(url);
  assert.match(await page.innerText("#messages"), /onions/);
  assert.match(await listed(page), /onions/);
  await close_page(page);
});

test("chats stand under their days, the newest first, pinned ones on top", async (t) => {
  const own = await start_program();
  t.after(() => own.stop());
  const kDay = 24 * 3600 * 1000;
  const noon = new Date().setHours(12, 0, 0, 0);
  for (const [title, days, pinned] of [["old", 40, false], ["kept", 50, true], ["of yesterday", 1, false], ["of last week", 4, false], ["of today", 0, false]]) {
    const updated_at = days === 0 ? Date.now() : noon - days * kDay;
    await import_long_chat(own.url, 2, { title, pinned, created_at: updated_at, updated_at });
  }
  const page = await open_page(browser, own.url);
  const groups = await page.locator("#history h2, #history .chats a").allInnerTexts();
  assert.deepEqual(groups, ["Pinned", "kept", "Today", "of today", "Yesterday", "of yesterday", "Last 7 days", "of last week", "Earlier", "old"]);
  await close_page(page);
});

for (const javaScriptEnabled of [true, false]) {
  test(`archived: out of the list, found, brought back; several deleted at once, with Undo: ${javaScriptEnabled ? "with" : "without"} script`, async (t) => {
    const own = await start_program();
    t.after(() => own.stop());
    const kNames = ["apples", "bananas", "cherries"];
    for (const text of kNames) {
      await fetch(`${own.url}/chat`, { method: "POST", body: new URLSearchParams({ message: `[echo] ${text}` }), redirect: "manual" });
    }
    const page = await open_page(browser, own.url, { javaScriptEnabled });
    const rest = async (...names) => assert.deepEqual((await page.locator("#history .chats a").allInnerTexts()).toSorted(), names.map((name) => `[echo] ${name}`));
    await page.click(".chats a:has-text('apples')");
    await page.waitForURL(/\/chat\//);
    await page.click("[popovertarget=chat-menu]");
    await page.click("text=Archive this chat");
    await page.waitForSelector(".banner:has-text('This chat is archived')");
    await rest("bananas", "cherries");
    await page.goto(`${own.url}/search?q=apples`);
    assert.match(await page.innerText("#content"), /\[echo\] apples/, "it is found");
    await page.click("text=Archived chats");
    await page.waitForSelector("h1:has-text('Archived chats')");
    await page.click("button:has-text('Bring back')");
    await page.goto(`${own.url}/chats`);
    await rest(...kNames);
    await page.check("label:has-text('apples') input");
    await page.check("label:has-text('cherries') input");
    await page.click("text=Delete what is ticked");
    await page.waitForSelector(".banner:has-text('2 chats deleted.')");
    await rest("bananas");
    await page.click(".banner button:has-text('Undo')");
    await page.waitForLoadState("load");
    await rest(...kNames);
    await page.goto(`${own.url}/chats`);
    await page.check("label:has-text('bananas') input");
    await page.click("text=Archive what is ticked");
    await page.waitForLoadState("load");
    await rest("apples", "cherries");
    await close_page(page);
  });
}

test("a chat becomes a file", async () => {
  const page = await open_page(browser, program.url);
  await page.click(".chats a:has-text('Rome')");
  await page.waitForURL(/\/chat\//);
  await page.click("[popovertarget=chat-menu]");
  for (const [label, name] of [["Markdown", "chat.md"], ["JSON", "chat.json"]]) {
    const started = page.waitForEvent("download");
    await page.click(`#chat-menu a:has-text('${label}')`);
    const file = await started;
    assert.equal(file.suggestedFilename(), name);
    assert.match(readFileSync(await file.path(), "utf8"), /Where is <b>Rome<\/b> & why/);
  }
  await close_page(page);
});

test("the Undo goes when its time is over", async () => {
  const page = await open_page(browser, program.url);
  await page.clock.install();
  await page.goto(`${program.url}/?deleted=${"0".repeat(32)}`);
  await page.waitForSelector("#undo");
  await page.clock.fastForward(31000);
  await page.waitForSelector("#undo", { state: "detached" });
  assert.equal(page.url(), `${program.url}/`);
  await close_page(page);
});

for (const { colorScheme, width, what } of kLooks) {
  const look = { colorScheme, viewport: { width, height: 800 } };
  test(`axe: ${what}`, async () => {
    const page = await open_page(browser, program.url, look);
    const check = checker(page, what);
    await page.keyboard.press("Control+k");
    await page.waitForSelector("#search:focus");
    await page.keyboard.type("on");
    await page.waitForSelector("#history .hits");
    await check("results");
    await page.fill("#search", "nowhere at all");
    await page.waitForSelector("#history .quiet-note");
    await check("nothing found");
    await page.goto(`${program.url}/search?q=rome`);
    await page.waitForSelector("#content mark");
    await check("page of results");
    await page.click("#content a:has(mark)");
    await page.waitForSelector("#messages .said");
    await page.click("[popovertarget=chat-menu]");
    await page.waitForSelector("#chat-menu .exports");
    await page.click("#chat-menu summary");
    await check("menu of a chat");
    await page.goto(`${program.url}/?deleted=${"0".repeat(32)}`);
    await page.waitForSelector("#undo");
    await check("deleted");
    await close_page(page);
  });
}
