// Signing in and out in a browser: with axe, by keyboard, without script; a browser's own space.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { checker, kLooks } from "./accessibility.mjs";
import { close_page, finished_answer, launch, open_page, send } from "./browser.mjs";
import { start_program } from "./program.mjs";

const kPassword = "right password";
let browser;
let program;
before(async () => {
  browser = await launch();
  const data_dir = mkdtempSync(join(tmpdir(), "notso-browser-"));
  const added = spawnSync(process.env.NOTSO_BIN, ["user", "add", "anna", "--data-dir", data_dir],
    { input: `${kPassword}\n` });
  assert.equal(added.status, 0, String(added.stderr));
  program = await start_program({ data_dir });
});
after(async () => {
  await browser?.close();
  await program?.stop();
});

async function sign_in(page, password) {
  await page.fill("#name", "anna");
  await page.fill("#password", password);
  await page.keyboard.press("Enter");
}

for (const { colorScheme, width, what } of kLooks) {
  test(`axe: ${what}`, async () => {
    const page = await open_page(browser, program.url, { colorScheme, viewport: { width, height: 800 } });
    page.expected.push("403");
    const check = checker(page, what);
    assert.equal(new URL(page.url()).pathname, "/login");
    assert.equal(await page.evaluate(() => document.activeElement.id), "name");
    await check("login");
    await sign_in(page, "wrong password");
    await page.waitForSelector("[role=alert]");
    assert.equal(await page.evaluate(() => document.activeElement.id), "password");
    await check("wrong password");
    await sign_in(page, kPassword);
    await page.waitForSelector("#message");
    await check("signed in");
    await page.goto(`${program.url}/account`);
    await check("account");
    await close_page(page);
  });
}

test("without script: in, send, out", async () => {
  const page = await open_page(browser, program.url, { javaScriptEnabled: false });
  await sign_in(page, kPassword);
  await page.waitForSelector("#composer");
  await page.fill("#message", "hello from anna");
  await page.click("#send-button", { noWaitAfter: true });
  await page.waitForURL(/\/chat\//);
  const chat = page.url().replace(/\?.*/, "");
  await page.goto(chat);
  await page.click("text=Sign out");
  await page.waitForURL(/\/login/);
  await page.goto(chat);
  assert.match(page.url(), /\/login\?next=/);
  await sign_in(page, kPassword);
  await page.waitForURL(chat);
  await close_page(page);
});

test("each browser has its own conversations", async () => {
  const shared = await start_program({ args: ["--backend", "stub", "--spaces", "on"] });
  const hers = await open_page(browser, shared.url);
  await send(hers, "only mine");
  await finished_answer(hers);
  const his = await open_page(browser, shared.url);
  assert.equal(await his.locator(".chats a").count(), 0);
  his.expected.push("404");
  await his.goto(hers.url());
  assert.match(await his.innerText("main"), /begun in another browser/);
  await hers.reload();
  assert.equal(await hers.locator(".chats a").count(), 1);
  await close_page(his);
  await close_page(hers);
  await shared.stop();
});
