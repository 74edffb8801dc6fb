// The whole app by keyboard alone: no pointer, and nothing that puts the focus or a text anywhere but keys. The focus can
// be seen wherever it is, goes in reading order, and is never lost when something takes the place of what had it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { close_page, counted_words, finished_answer, launch, open_page, wait_for_words } from "./browser.mjs";
import { activate, assert_focus_shows, assert_kept, assert_reading_order, tab_to, walk, watch_focus } from "./keyboard.mjs";
import { start_program } from "./program.mjs";

const kTools = ["--backend", "stub", "--tools", "calculator,web_fetch"];
const kWide = { width: 1280, height: 700 };
const kPhone = { width: 360, height: 640 };

let browser;
let program;
before(async () => {
  browser = await launch();
  program = await start_program({ args: kTools });
});
after(async () => {
  await browser?.close();
  await program?.stop();
});

async function open_watched(options = {}) {
  const context = await browser.newContext({ viewport: kWide, ...options });
  const page = await open_page(browser, "about:blank", { context });
  page.expected.push("request to");
  await watch_focus(page);
  await page.goto(options.url || program.url);
  return page;
}

async function close_watched(page) {
  assert.deepEqual(page.lost, []);
  await close_page(page);
}

/// Types into the composer, which has the focus, and sends.
async function say(page, text) {
  await assert_kept(page, "#message");
  const before = await page.locator("article.assistant").count();
  await page.keyboard.type(text);
  await page.keyboard.press("Enter");
  await page.waitForFunction((count) => document.querySelectorAll("article.assistant").length > count, before);
}

test("begin a chat, stop, continue, answer again, between versions", async () => {
  const page = await open_watched();
  await say(page, "[long 120] [slow]");
  await wait_for_words(page, 5);
  await page.keyboard.press("Escape");
  await finished_answer(page);
  await assert_kept(page, "#message");
  await activate(page, "form.continue button", { back: true });
  await page.waitForSelector("#stop-button");
  await assert_kept(page, "#message");
  await activate(page, "#stop-button");
  await finished_answer(page);
  await assert_kept(page, "#message");
  await activate(page, "form.retry button", { back: true, key: "Space" });
  await page.waitForSelector("#stop-button");
  await assert_kept(page, "#message");
  await page.keyboard.press("Escape");
  await finished_answer(page);
  await activate(page, ".versions button:not([disabled])", { back: true, text: "Older version" });
  await page.waitForSelector(".versions >> text=1/2");
  await assert_kept(page, ".versions button");
  assert.match((await assert_focus_shows(page)).what, /Newer version/, "there is no older one");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".versions >> text=2/2");
  await assert_kept(page, ".versions button");
  await close_watched(page);
});

test("edit the last message and an answer, cancel, delete; copy", async () => {
  const page = await open_watched({ permissions: ["clipboard-read", "clipboard-write"] });
  await say(page, "[echo] first");
  await finished_answer(page);
  await page.keyboard.press("ArrowUp");
  await assert_kept(page, ".edit textarea");
  await tab_to(page, ".edit a", { text: "Cancel" });
  await page.keyboard.press("Enter");
  await page.waitForSelector(".edit", { state: "detached" });
  await assert_kept(page, ".edit-link");
  await page.keyboard.press("Enter");
  await assert_kept(page, ".edit textarea");
  await page.keyboard.type(" and more");
  await activate(page, ".edit button.primary");
  await page.waitForSelector(".versions >> text=2/2");
  await assert_kept(page, "#message");
  assert.match(await finished_answer(page), /first and more/);
  await activate(page, "article .edit-link", { back: true });
  await assert_kept(page, ".edit textarea");
  await page.keyboard.press("Control+a");
  await page.keyboard.type("My words");
  await activate(page, ".edit button.primary", { text: "Save" });
  await page.waitForSelector(".prose:has-text('My words')");
  await assert_kept(page, "article .edit-link");
  await activate(page, "[data-copy=answer]", { back: true });
  await page.waitForFunction(() => document.getElementById("announcer").textContent === "Copied");
  await activate(page, "article .edit-link");
  await assert_kept(page, ".edit textarea");
  await activate(page, ".edit .danger-button");
  await page.waitForFunction(() => !document.querySelector(".edit") && !document.querySelector("article.assistant"));
  await assert_kept(page);
  await close_watched(page);
});

test("thoughts, Answer now, a message that waits, Stop and send", async () => {
  const page = await open_watched();
  await activate(page, "#thinking", { key: "Space" });
  assert.ok(await page.isChecked("#thinking"));
  await tab_to(page, "#budget");
  await page.keyboard.press("ArrowDown");
  assert.equal(await page.inputValue("#budget"), "128");
  await tab_to(page, "#message", { back: true });
  await say(page, "[slow] [long 60]");
  await activate(page, ".answer-now button", { back: true });
  await wait_for_words(page, 3);
  await assert_kept(page);
  await tab_to(page, "#message");
  await page.keyboard.type("the next one");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#waiting li");
  await activate(page, ".withdraw button", { back: true });
  await page.waitForFunction(() => document.getElementById("message").value === "the next one");
  await assert_kept(page, "#message");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#waiting li");
  await activate(page, "#waiting button", { back: true, text: "Stop and send" });
  await page.waitForFunction(() => document.querySelectorAll("article.assistant").length === 2);
  await finished_answer(page);
  await assert_kept(page);
  await activate(page, "details.aside summary", { back: true });
  assert.ok(await page.locator("details.aside[open]").count() > 0);
  await activate(page, ".stat summary");
  assert.ok(await page.locator(".stat[open]").count() > 0);
  await close_watched(page);
});

test("a tool asks: told, allowed, denied; the list of tools", async () => {
  const page = await open_watched();
  for (const [label, told] of [["Allow once", "no result"], ["Deny", "was not allowed"]]) {
    await say(page, '[call web_fetch {"url":"http://127.0.0.1/"}]');
    await page.waitForFunction(() => document.getElementById("announcer").textContent === "A tool asks for your decision");
    await assert_kept(page, "#message");
    await activate(page, ".asking button", { back: true, text: label });
    await page.waitForSelector(`details.tool summary:has-text('${told}')`);
    await finished_answer(page);
    await assert_kept(page, "#message");
  }
  await activate(page, "[popovertarget=model-menu]");
  await activate(page, "#model-menu a", { text: "Tools" });
  await page.waitForURL(/\/tools$/);
  await close_watched(page);
});

test("search, rename, pin, delete and Undo", async () => {
  const page = await open_watched();
  await say(page, "[echo] about cucumbers");
  await finished_answer(page);
  await page.keyboard.press("Control+k");
  await assert_kept(page, "#search");
  await page.keyboard.type("cucumber");
  await page.waitForSelector("#history .hits");
  await page.keyboard.press("ArrowDown");
  await assert_kept(page, "#history a");
  await page.keyboard.press("ArrowDown");  // the first one is the title's
  await page.keyboard.press("Enter");
  await page.waitForURL(/\?at=/);
  await tab_to(page, "[popovertarget=chat-menu]");
  await page.keyboard.press("Enter");
  await tab_to(page, "#new-title");
  await page.keyboard.press("Control+a");
  await page.keyboard.type("Vegetables");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.getElementById("title").textContent === "Vegetables");
  await tab_to(page, "[popovertarget=chat-menu]", { back: true });
  await page.keyboard.press("Enter");
  await activate(page, "#chat-menu button", { text: "Pin this chat" });
  await page.waitForSelector("h2:has-text('Pinned')");
  await tab_to(page, "[popovertarget=chat-menu]", { back: true });
  await page.keyboard.press("Enter");
  await page.keyboard.press("Escape");
  await page.waitForSelector("#chat-menu:not(:popover-open)", { state: "attached" });
  await assert_kept(page, "[popovertarget=chat-menu]");
  await page.keyboard.press("Enter");
  await activate(page, "#chat-menu summary");
  await activate(page, "#chat-menu .danger-button");
  await page.waitForSelector("#undo");
  await activate(page, "#undo button", { back: true });
  await page.waitForFunction(() => document.getElementById("title")?.textContent === "Vegetables");
  await close_watched(page);
});

test("commands by their menu, the ledger, and back to the chat", async () => {
  const page = await open_watched();
  await say(page, "[echo] a question");
  await finished_answer(page);
  await page.keyboard.type("/sta");
  await page.waitForSelector("#commands:not([hidden])");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#told >> text=Nothing is being written");
  await assert_kept(page, "#message");
  await activate(page, "#context a");
  await page.waitForURL(/\/context$/);
  await activate(page, "main a", { text: "Back to the chat" });
  await page.waitForURL(/\/chat\/[0-9a-f]{32}$/);
  await assert_kept(page, "#message");
  await close_watched(page);
});

test("settings are saved; colours and language are chosen; help is read", async (t) => {
  const own = await start_program({ args: kTools });
  t.after(() => own.stop());
  const page = await open_watched({ url: own.url, colorScheme: "light" });
  await activate(page, "a[href='/settings']");
  await page.waitForURL(/\/settings$/);
  await tab_to(page, "#temperature");
  await page.keyboard.type("0.5");
  await tab_to(page, "input[name=theme]");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await activate(page, "form.settings > button.primary");
  await page.waitForSelector("[role=status] >> text=Saved");
  assert.equal(await page.inputValue("#temperature"), "0.5");
  assert.equal(await page.getAttribute("html", "data-theme"), "dark");
  await activate(page, "#theme-toggle");
  assert.equal(await page.getAttribute("html", "data-theme"), null);
  await assert_kept(page, "#theme-toggle");
  await page.keyboard.press("?");
  await page.waitForSelector("dialog[open]");
  await assert_kept(page);
  for (let i = 0; i < 4; ++i) {
    await page.keyboard.press("Tab");
    assert.ok(await page.evaluate(() => document.activeElement === document.body || document.activeElement.closest("dialog")), "the focus stays in the dialog");
  }
  await page.keyboard.press("Escape");
  await assert_kept(page, "#theme-toggle");
  await activate(page, ".languages button", { text: "Deutsch" });
  await page.waitForSelector("html[lang=de]");
  await close_watched(page);
});

test("the model's menu, files, a draft that is left and found again", async () => {
  const page = await open_watched();
  await assert_kept(page, "#message");
  await page.keyboard.type("half a thought");
  await page.keyboard.press("Tab");
  await assert_kept(page, "#file-input");
  const picker = page.waitForEvent("filechooser");
  await page.keyboard.press("Space");
  await (await picker).setFiles([{ name: "a.txt", mimeType: "text/plain", buffer: Buffer.from("x") }]);
  await page.waitForSelector("#files li:not(.coming)");
  await assert_kept(page, "#file-input");
  await activate(page, "#files button", { back: true });
  await page.waitForFunction(() => document.querySelectorAll("#files li").length === 0);
  await assert_kept(page, "#message");
  await activate(page, "[popovertarget=model-menu]", { back: true });
  await tab_to(page, "#model-choice");
  await page.keyboard.press("Escape");
  await assert_kept(page, "[popovertarget=model-menu]");
  await page.keyboard.press("Enter");
  await activate(page, "#model-menu a", { text: "All models" });
  await page.waitForURL(/\/models$/);
  await page.keyboard.press("Control+Shift+O");
  await page.waitForURL(`${program.url}/`);
  await assert_kept(page, "#message");
  assert.equal(await page.inputValue("#message"), "half a thought");
  await close_watched(page);
});

for (const [what, viewport] of [["wide", kWide], ["a phone", kPhone]]) {
  test(`every stop of Tab can be seen and comes in reading order: ${what}`, async () => {
    const page = await open_watched({ viewport });
    assert_reading_order(await walk(page));
    await page.keyboard.press("Tab");
    assert.match((await assert_focus_shows(page)).what, /Skip to the composer/);
    await page.keyboard.press("Enter");
    await assert_kept(page, "#message");
    await say(page, "[think] [markdown]");
    await finished_answer(page);
    await say(page, `[echo] ${counted_words(300)}`);
    await finished_answer(page);
    const stops = await walk(page);
    assert_reading_order(stops);
    const reached = stops.map((stop) => stop.what).join("\n");
    for (const part of ["Conversation", "Edit message", "Copy answer", "Answer again", "Go on from here in a new chat", "#message", "#file-input", "#send-button", "Context", "Code, cpp", "Table"]) {
      assert.ok(reached.includes(part), `${part} among\n${reached}`);
    }
    for (const path of ["/settings", "/models", "/tools", "/archive", "/chats", "/archived", "/help", "/search?q=markdown"]) {
      await page.goto(program.url + path);
      assert_reading_order(await walk(page));
    }
    await close_watched(page);
  });
}
