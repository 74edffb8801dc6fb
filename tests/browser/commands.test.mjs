// Slash commands and shortcuts: the menu by keyboard and mouse, what is told, help; with axe; and without script.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { checker, kLooks } from "./accessibility.mjs";
import { answer_text, close_page, finished_answer, launch, open_page, send, wait_for_words } from "./browser.mjs";
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

const told = (page, text) => page.waitForSelector(`#told >> text=${text}`);
const menu_open = (page) => page.waitForSelector("#commands:not([hidden])");
const selected = (page) => page.evaluate(() => {
  const id = document.getElementById("message").getAttribute("aria-activedescendant");
  const option = id && document.getElementById(id);
  return option && option.getAttribute("aria-selected") === "true" ? option.dataset.name : null;
});
const focused = (page) => page.evaluate(() => document.activeElement.id);

async function type_command(page, text) {
  await page.fill("#message", "");
  await page.focus("#message");
  await page.keyboard.type(text);
}

for (const { colorScheme, width, what } of kLooks) {
  test(`axe: ${what}`, async () => {
    const page = await open_page(browser, program.url, { colorScheme, viewport: { width, height: 800 } });
    const check = checker(page, what);
    await type_command(page, "/");
    await menu_open(page);
    await check("menu");
    await page.keyboard.press("Escape");
    await type_command(page, "/frob");
    await page.keyboard.press("Enter");
    await page.waitForSelector("#alert [data-refused]");
    await check("refused");
    await type_command(page, "/system Be brief.");
    await page.keyboard.press("Enter");
    await told(page, "The system prompt is");
    await check("told");
    await page.evaluate(() => document.activeElement.blur());
    await page.keyboard.press("?");
    await page.waitForSelector("dialog[open]");
    await check("help dialog");
    await page.goto(`${program.url}/help`);
    await check("help page");
    await close_page(page);
  });
}

test("the menu filters, moves, completes, sends and closes", async () => {
  const page = await open_page(browser, program.url);
  await send(page, "hello");
  await finished_answer(page);
  await type_command(page, "/");
  await menu_open(page);
  assert.equal(await selected(page), "new");
  await page.keyboard.press("ArrowDown");
  assert.equal(await selected(page), "clear");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("ArrowUp");
  assert.equal(await selected(page), "help", "it goes round");
  await page.keyboard.type("s");
  assert.deepEqual(await page.$$eval("#commands li:not([hidden])", (all) => all.map((one) => one.dataset.name)),
    ["system", "summarize", "stats", "status", "settings"]);
  assert.equal(await selected(page), "system");
  await page.keyboard.press("Escape");
  assert.ok(await page.isHidden("#commands"));
  assert.equal(await page.inputValue("#message"), "/s", "nothing is lost");
  assert.equal(await focused(page), "message");
  await page.keyboard.type("tat");
  assert.equal(await selected(page), "stats");
  await page.keyboard.press("ArrowDown");
  assert.equal(await selected(page), "status");
  await page.keyboard.press("Enter");
  await told(page, "Nothing is being written");
  assert.equal(await page.inputValue("#message"), "");
  assert.equal(await page.locator(".user").count(), 1, "no message was sent");
  await type_command(page, "/te");
  await menu_open(page);
  await page.keyboard.press("Tab");
  assert.equal(await page.inputValue("#message"), "/temp ", "what takes something waits for it");
  assert.equal(await focused(page), "message");
  assert.ok(await page.isHidden("#commands"));
  await page.keyboard.type("0.5");
  await page.keyboard.press("Enter");
  await told(page, "The temperature is 0.5.");
  await type_command(page, "/sta");
  await page.click("#command-stats");
  await told(page, "The last answer");
  await type_command(page, "//temp 1");
  assert.ok(await page.isHidden("#commands"));
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.querySelectorAll("article.assistant").length === 2);
  await finished_answer(page);
  assert.equal(await page.locator(".user .said").last().innerText(), "/temp 1");
  assert.equal(await page.innerText("#told"), "", "what was told is over");
  await close_page(page);
});

test("an unknown command is told, and stays to be mended", async () => {
  const page = await open_page(browser, program.url);
  await type_command(page, "/frob now");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#alert [data-refused]");
  assert.match(await page.innerText("#alert"), /There is no command \/frob.*with a space or with \/\//);
  assert.equal(await page.inputValue("#message"), "/frob now");
  assert.equal(await focused(page), "message");
  assert.equal(await page.locator(".user").count(), 0);
  assert.equal(await page.innerText("#told"), "");
  await close_page(page);
});

test("commands lead to pages, begin chats, and have answers written", async () => {
  const page = await open_page(browser, program.url);
  await type_command(page, "/budget 300");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/chat\//);
  await told(page, "Thoughts may take 300 tokens at most.");
  await page.waitForFunction(() => document.getElementById("announcer").textContent.includes("300 tokens"));
  assert.equal(new URL(page.url()).search, "", "a reload does not say it again");
  await send(page, "[long 30]");
  await finished_answer(page);
  await type_command(page, "/regenerate");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".versions >> text=2/2");
  await finished_answer(page);
  await type_command(page, "/theme dark");
  await page.keyboard.press("Enter");
  await page.waitForSelector("html[data-theme=dark]");
  await told(page, "The colours are dark.");
  const download = page.waitForEvent("download");
  await type_command(page, "/export json");
  await page.keyboard.press("Enter");
  assert.equal((await download).suggestedFilename(), "chat.json");
  await told(page, "The file is being saved.");
  await type_command(page, "/settings");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/settings$/);
  assert.equal(await page.inputValue("#thinking_budget"), "300");
  await page.goBack();
  await type_command(page, "/clear");
  await page.keyboard.press("Enter");
  await page.click("text=Undo");
  await page.waitForURL(/\/chat\//);
  await type_command(page, "/theme system");
  await page.keyboard.press("Enter");
  await told(page, "as the system");
  await close_page(page);
});

test("the other commands: /think /no_think /model /compact /summarize /continue /stats /tools /reset /help /new", async () => {
  const page = await open_page(browser, program.url);
  const command = async (text) => {
    await type_command(page, text);
    if (await page.isVisible("#commands")) await page.keyboard.press("Escape");
    await page.keyboard.press("Enter");
  };
  await command("/think");
  await told(page, "Thinking is on.");
  assert.ok(await page.isChecked("#thinking"));
  await command("/no_think");
  await told(page, "Thinking is off.");
  assert.ok(!await page.isChecked("#thinking"));
  await command("/model");
  await told(page, "This chat is answered by scripted-stub.");
  await command("/temp 0.3");
  await told(page, "The temperature is 0.3.");
  await send(page, "[long 600] [slow]");
  await wait_for_words(page, 5);
  await page.keyboard.press("Escape");
  const cut = await finished_answer(page);
  await command("/continue");
  await told(page, "The answer goes on.");
  await page.waitForSelector("#stop-button");
  await wait_for_words(page, cut.split(" ").length + 3);
  await page.keyboard.press("Escape");
  const whole = await finished_answer(page);
  assert.ok(whole.startsWith(`${cut} word`), whole);
  for (const name of ["compact", "summarize"]) {
    await send(page, `[echo] more for /${name}`);
    await finished_answer(page);
    await command(`/${name}`);
    await told(page, "Summarised for the model:");
  }
  await command("/stats");
  await told(page, "The last answer: prompt");
  const chat = page.url();
  await command("/tools");
  await page.waitForURL(/\/tools$/);
  await page.goto(chat);
  await command("/reset");
  await told(page, "A new chat, with the settings of the one before.");
  assert.notEqual(page.url(), chat);
  await command("/temp");
  await told(page, "The temperature is the model’s own.");
  await command("/help");
  await page.waitForURL(/\/help$/);
  await page.goto(chat);
  await command("/new");
  await page.waitForURL(`${program.url}/`);
  await close_page(page);
});

test("a command during an answer neither waits nor stops it", async () => {
  const page = await open_page(browser, program.url);
  await send(page, "[long 900] [slow]");
  await wait_for_words(page, 3);
  await type_command(page, "/status");
  await menu_open(page);
  await page.keyboard.press("Escape");
  assert.ok(await page.isVisible("#stop-button"), "Escape closed the menu only");
  await page.keyboard.press("Enter");
  await told(page, "An answer is being written in this chat.");
  assert.equal(await page.locator("#waiting li").count(), 0);
  assert.ok(await page.isVisible("#stop-button"), "the answer goes on");
  await page.click("#stop-button");
  await finished_answer(page);
  await close_page(page);
});

test("without script: help, and commands that the server does", async () => {
  const page = await open_page(browser, program.url, { javaScriptEnabled: false });
  page.expected.push("400");
  const command = async (text) => {
    await page.fill("#message", text);
    await page.click("#send-button");
  };
  await page.click("noscript a[href='/help']");
  await page.waitForURL(/\/help$/);
  assert.match(await page.innerText("main"), /\/regenerate/);
  await page.goBack();
  await command("/system Answer in verse.");
  await page.waitForURL(/\/chat\/.*did=system/);
  assert.match(await page.innerText("#told"), /Answer in verse/);
  await command("/frob");
  assert.match(await page.innerText("#alert"), /There is no command \/frob/);
  assert.equal(await page.inputValue("#message"), "/frob");
  await command("hello");
  await page.waitForSelector("article.assistant ~ *, #composer");
  await page.waitForLoadState("load");
  await page.goto(page.url().replace(/\?.*/, ""));
  assert.match(await answer_text(page), /You wrote: hello/);
  await command("/stats");
  assert.match(await page.innerText("#told"), /The last answer/);
  await command("/new");
  await page.waitForURL(`${program.url}/`);
  await close_page(page);
});

test("shortcuts: the list of chats, a new chat, search, help", async () => {
  const page = await open_page(browser, program.url);
  await send(page, "hello");
  await finished_answer(page);
  await page.keyboard.press("Control+b");
  await page.waitForSelector("#sidebar", { state: "hidden" });
  assert.match(await page.innerText("#announcer"), /hidden/);
  assert.equal(await focused(page), "message");
  await page.reload();
  await page.waitForSelector("#sidebar", { state: "hidden" });
  await page.click(".bar .drawer-only");
  await page.waitForSelector("#sidebar", { state: "visible" });
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+k");
  await page.waitForFunction(() => document.activeElement.id === "search");
  await page.keyboard.press("Escape");
  await page.focus("#message");
  await page.keyboard.press("Control+b");
  await page.waitForSelector("#sidebar", { state: "visible" });
  await page.keyboard.type("what?");
  assert.equal(await page.inputValue("#message"), "what?", "a question mark in a field is one");
  await page.fill("#message", "");
  await page.click("#help-link");
  await page.waitForSelector("dialog[open]");
  assert.match(await page.innerText("dialog"), /Ctrl \+ B/);
  await page.keyboard.press("Escape");
  await page.waitForSelector("dialog", { state: "hidden" });
  await page.focus("#scroll");
  await page.keyboard.press("?");
  await page.waitForSelector("dialog[open]");
  await page.keyboard.press("Escape");
  await page.waitForSelector("dialog", { state: "hidden" });
  assert.equal(await focused(page), "scroll", "the focus goes back");
  await page.keyboard.press("Control+Shift+O");
  await page.waitForURL(`${program.url}/`);
  await close_page(page);
});

test("Escape in the dialog closes it and stops no answer", async () => {
  const page = await open_page(browser, program.url);
  await send(page, "[long 60] [slow]");
  await page.focus("#scroll");
  await page.keyboard.press("?");
  await page.waitForSelector("dialog[open]");
  await page.keyboard.press("Escape");
  await page.waitForSelector("dialog", { state: "hidden" });
  assert.ok(await page.isVisible("#stop-button"));
  await page.keyboard.press("Escape");
  await page.waitForSelector("#send-button");
  await page.keyboard.press("ArrowUp");
  await close_page(page);
});

test("the list of chats is a drawer on a phone", async () => {
  const page = await open_page(browser, program.url, { viewport: { width: 360, height: 800 } });
  await page.keyboard.press("Control+b");
  await page.waitForSelector("#sidebar:popover-open");
  await page.keyboard.press("Control+b");
  await page.waitForSelector("#sidebar:not(:popover-open)", { state: "attached" });
  await close_page(page);
});
