// axe on the HTML of every page as browsers without script get it: chats in all their states, forms that were refused, errors.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { assert_accessible, assert_fits, kLooks, serve_plain } from "./accessibility.mjs";
import { close_page, launch, open_page } from "./browser.mjs";
import { import_long_chat } from "./long_chat.mjs";
import { start_program } from "./program.mjs";

const kPassword = "right password";
let browser;
let program;
let members;
const chats = {};

/// Sends a form; the address that it leads to.
async function post(path, fields) {
  const response = await fetch(program.url + path, { method: "POST", body: new URLSearchParams(fields), redirect: "manual" });
  assert.equal(response.status, 303, `${path}: ${await response.text()}`);
  return response.headers.get("location");
}

async function until(chat, pattern) {
  for (let i = 0; i < 300; ++i) {
    if (pattern.test(await (await fetch(program.url + chat)).text())) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.fail(`${chat} never has ${pattern}`);
}

async function ask(message, pattern = /tokens?\/s/) {
  const chat = (await post("/chat", { message })).replace(/\?.*/, "");
  await until(chat, pattern);
  return chat;
}

before(async () => {
  browser = await launch();
  program = await start_program({ args: ["--backend", "stub", "--tools", "calculator,web_fetch"] });
  chats.answered = await ask("[think] [markdown] and a rare word: quagga");
  chats.failed = await ask("[error] [long 20]", /broke off/);
  chats.tool = await ask('[call calculator {"expression":"6*7"}]', /The tool says/);
  chats.asking = await ask('[call web_fetch {"url":"http://127.0.0.1/"}]', /class="asking"/);
  chats.running = await ask("[long 5000] [slow]", /id="stop-button"/);
  await post(`${chats.running}/messages`, { message: "it waits" });
  chats.versions = await ask("[echo] once more");
  const [, question] = (await (await fetch(program.url + chats.versions)).text()).match(/class="turn" id="m-([0-9a-f]{32})"/);
  chats.question = question;
  await post(`${chats.versions}/edit`, { message: question, text: "[echo] in other words" });
  await until(chats.versions, /2\/2/);
  chats.archived = await ask("[echo] put away");
  await post(`${chats.archived}/archive`, { archived: "1" });
  chats.long = new URL(await import_long_chat(program.url, 200)).pathname;
  await post("/settings/presets", { preset: "Poet", temperature: "1.5" });
  const data_dir = mkdtempSync(join(tmpdir(), "notso-browser-"));
  const added = spawnSync(process.env.NOTSO_BIN, ["user", "add", "anna", "--data-dir", data_dir], { input: `${kPassword}\n` });
  assert.equal(added.status, 0, String(added.stderr));
  members = await start_program({ data_dir });
});
after(async () => {
  await browser?.close();
  await program?.stop();
  await members?.stop();
});

const pages = () => ({
  "a new chat": "/", "a temporary chat": "/?temporary=1", "after a delete": `/?deleted=${"0".repeat(32)}`, "a filled composer": "/?prefill=words",
  "an answer": chats.answered, "a failed answer": chats.failed, "a tool": chats.tool, "a tool that asks": chats.asking,
  "a running answer, a message waits": chats.running, versions: chats.versions, "editing a message": `${chats.versions}?edit=${chats.question}`,
  "an archived chat": chats.archived, "the end of a long chat": chats.long, "what a command told": `${chats.answered}?did=stats`,
  "the ledger": `${chats.answered}/context`, "settings of a chat": `${chats.answered}/settings`, settings: "/settings", "a preset": "/settings?preset=Poet",
  models: "/models", tools: "/tools", "import and export": "/archive", "all chats": "/chats", "archived chats": "/archived", help: "/help",
  results: "/search?q=quagga", "no results": "/search?q=nothing%20at%20all", "no such chat": "/chat/nowhere", "no such page": "/nowhere", offline: "/offline",
});

for (const { colorScheme, width, what } of kLooks) {
  test(`axe without script: every page, ${what}`, async (t) => {
    const context = await browser.newContext({ colorScheme, viewport: { width, height: 800 } });
    await serve_plain(context);
    const page = await open_page(browser, program.url, { context });
    page.expected.push("404", "400");
    const check = async (state) => {
      assert.equal(await page.evaluate(() => document.documentElement.className), "", "no script of ours runs");
      await assert_accessible(page, `${state}, ${what}`);
      await assert_fits(page, `${state}, ${what}`);
    };
    for (const [state, path] of Object.entries(pages())) {
      await page.goto(program.url + path);
      await check(state);
    }
    await page.goto(program.url + chats.long);
    await page.click("#earlier a");
    await check("an earlier page of a long chat");
    await page.goto(`${program.url}/settings`);
    await page.fill("#temperature", "9");
    await page.click("form.settings > button.primary");
    await page.waitForSelector("[role=alert]");
    await check("refused settings");
    await page.goto(program.url);
    await page.fill("#message", "/frob");
    await page.click("#send-button");
    await page.waitForSelector("#alert p");
    await check("a refused command");
    await page.goto(program.url);
    await page.fill("#message", "x".repeat(300000));
    page.expected.push("413");
    await page.click("#send-button");
    await page.waitForSelector(".trouble textarea");
    await check("a message that is too long");
    await page.goto(program.url);
    await page.fill("#message", "[think] [markdown]");
    await page.click("#send-button");
    await page.waitForSelector("article.assistant table");
    await check("an answer that was written into the page");
    t.diagnostic(`${Object.keys(pages()).length + 5} states`);
    await close_page(page);
  });

  test(`axe without script: signing in, ${what}`, async () => {
    const context = await browser.newContext({ colorScheme, viewport: { width, height: 800 } });
    await serve_plain(context);
    const page = await open_page(browser, members.url, { context });
    page.expected.push("403");
    const sign_in = async (password) => {
      await page.fill("#name", "anna");
      await page.fill("#password", password);
      await page.keyboard.press("Enter");
    };
    await assert_accessible(page, `signing in, ${what}`);
    await sign_in("wrong password");
    await page.waitForSelector("[role=alert]");
    await assert_accessible(page, `a wrong password, ${what}`);
    await sign_in(kPassword);
    await page.waitForSelector("#message");
    await page.goto(`${members.url}/account`);
    await assert_accessible(page, `the account, ${what}`);
    await close_page(page);
  });
}
