// The first seconds: the page before the model is there, what it shows, and a message before the server has answered.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { answer_text, close_page, finished_answer, launch, open_page, send } from "./browser.mjs";
import { real_model, start_program } from "./program.mjs";

let browser;
let stub;
before(async () => {
  browser = await launch();
  stub = await start_program();
});
after(async () => {
  await browser?.close();
  await stub?.stop();
});

const state = (page, name) => page.waitForSelector(`#model-badge[data-state="${name}"]`, { timeout: 60000 });

test("the page opens while the model is being loaded, and the first message is answered", { skip: !real_model() && "no model" }, async (t) => {
  const program = await start_program({ args: ["-m", real_model()], wait: false });
  t.after(() => program.stop());
  const page = await open_page(browser, program.url);
  const shown = await page.getAttribute("#model-badge", "data-state");
  assert.match(shown, /^(loading|ready)$/);
  t.diagnostic(`the page shows "${shown}" at first`);
  await page.evaluate(() => { globalThis.same_page = true; });
  await page.waitForFunction(() => document.activeElement.id === "message");
  await page.keyboard.type("What is the capital of France?");
  await state(page, "ready");
  assert.equal(await page.innerText("#model-badge .model-state"), "Ready");
  assert.ok(await page.evaluate(() => globalThis.same_page), "it was not loaded again");
  await page.keyboard.press("Enter");
  await page.waitForSelector("article.assistant");
  assert.match(await finished_answer(page), /Paris/);
  await close_page(page);
});

test("at the start: a greeting, ideas, and the focus in the composer", async () => {
  const page = await open_page(browser, stub.url);
  await page.waitForFunction(() => document.activeElement.id === "message");
  assert.equal(await page.innerText("#greeting h2"), "What is on your mind?");
  const ideas = page.locator("#greeting .ideas a");
  const idea = await ideas.first().innerText();
  await ideas.first().click();
  assert.equal(await page.inputValue("#message"), idea, "an idea fills the composer");
  assert.equal(await page.locator(".user").count(), 0, "and sends nothing");
  await close_page(page);
});

test("a message shows before the server has answered, and is confirmed when it has", async () => {
  const page = await open_page(browser, stub.url);
  await send(page, "first");
  await finished_answer(page);
  let go_on;
  const held = new Promise((resolve) => { go_on = resolve; });
  await page.route("**/messages", async (route) => {
    await held;
    await route.continue();
  });
  await page.fill("#message", "at once");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".user.pending:has-text('at once')");
  assert.match(await page.innerText(".user.pending .delivery"), /Sending/);
  assert.equal(await page.inputValue("#message"), "", "the composer is free for the next one");
  assert.equal(await page.locator(".turn").count(), 1, "the server has not stored it");
  go_on();
  await page.waitForFunction(() => document.querySelectorAll(".turn").length === 2);
  assert.equal(await page.locator(".pending").count(), 0);
  await finished_answer(page);
  assert.match(await answer_text(page), /at once/);
  assert.equal(await page.locator(".user").count(), 2);
  await close_page(page);
});

test("answers may be wrong: the page says so under the composer, and names where text goes", { skip: !real_model() && "no model" }, async (t) => {
  const local = await start_program({ args: ["-m", real_model()] });
  t.after(() => local.stop());
  const far = await start_program({ args: ["--backend", "remote", "--remote-url", `${stub.url}/v1`] });
  t.after(() => far.stop());
  const page = await open_page(browser, local.url);
  assert.match(await page.innerText(".fine"), /on your own machine\. It may be wrong: check what matters\./);
  assert.match(await page.innerText("#greeting"), /What you write stays here/);
  const other = await open_page(browser, far.url);
  await state(other, "ready");
  assert.match(await other.innerText(".fine"), /Remote model: your text goes to localhost:\d+\. It may be wrong: check what matters\./);
  assert.match(await other.innerText("#greeting"), /What you write goes there/);
  await close_page(other);
  await close_page(page);
});
