// An open page follows the model's state without a reload: loading, unloaded, a remote server away and back. And a page
// that is idle and ready asks the server nothing.
import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { assert_accessible, assert_fits, kLooks } from "./accessibility.mjs";
import { close_page, finished_answer, launch, open_page, send } from "./browser.mjs";
import { start_program } from "./program.mjs";

const golden = (name) => fileURLToPath(new URL(`../golden/models/${name}.gguf`, import.meta.url));

let browser;
let folder;
let stub;
before(async () => {
  browser = await launch();
  folder = mkdtempSync(join(tmpdir(), "notso-state-"));
  copyFileSync(golden("tiny_llama"), join(folder, "model.gguf"));
  copyFileSync(golden("tiny_qwen2"), join(folder, "other.gguf"));
  process.env.no_proxy = "127.0.0.1";
  stub = await start_program();
});
after(async () => {
  await browser?.close();
  await stub?.stop();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

const state = (page, name, timeout = 30000) => page.waitForSelector(`#model-badge[data-state="${name}"]`, { timeout });
const look_at = (page) => page.evaluate(() => dispatchEvent(new Event("focus")));
/// Asserted at the end: the page was never loaded again.
const mark = (page) => page.evaluate(() => { globalThis.same_page = true; });
const assert_same_page = async (page) => assert.ok(await page.evaluate(() => globalThis.same_page), "it was reloaded");

/// A page whose badge shows a state of loading while `shown.percent` is set. The route is there before the page is: a
/// request under way when a page's first route is set can be lost by the browser, and the page would wait for its answer.
async function open_loading_page(shown) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  await context.route("**/model-badge?*", async (route) => {
    if (!shown.percent) return route.continue();
    const response = await route.fetch();
    const body = (await response.text()).replace(/data-state="\w+"/, 'data-state="loading" data-changing')
      .replace(/(model-state">)[^<]*/, `$1Loading <span class="wide">model </span>${shown.percent} %`);
    await route.fulfill({ response, body });
  });
  return open_page(browser, stub.url, { context });
}

test("an idle page asks nothing", async () => {
  const page = await open_page(browser, stub.url);
  await send(page, "hello");
  await finished_answer(page);
  await page.waitForTimeout(500);
  const asked = [];
  page.on("request", (request) => asked.push(request.url()));
  await page.waitForTimeout(4000);
  assert.deepEqual(asked, []);
  await close_page(page);
});

test("a model that is being loaded is followed until it is ready", async () => {
  const loading = {};
  const page = await open_loading_page(loading);
  await mark(page);
  await page.fill("#message", "half a thought");
  loading.percent = 43;
  await look_at(page);
  await state(page, "loading");
  assert.equal(await page.innerText("#model-badge .model-state"), "Loading model 43 %");
  for (const { colorScheme, width } of kLooks) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 844 });
    await assert_accessible(page, `loading, ${colorScheme}, ${width} px`);
    const [badge, menu] = await Promise.all(["#model-badge .model-state", "[popovertarget=model-menu]"].map((what) =>
      page.locator(what).boundingBox()));
    assert.ok(badge.x + badge.width <= menu.x, `nothing stands under the menu at ${width} px`);
  }
  await page.setViewportSize({ width: 1280, height: 844 });
  loading.percent = 87;
  await page.waitForFunction(() => /87 %/.test(document.querySelector("#model-badge .model-state").innerText));
  delete loading.percent;
  await state(page, "ready");
  assert.equal(await page.innerText("#announcer"), "The model is ready");
  assert.equal(await page.inputValue("#message"), "half a thought");
  await assert_same_page(page);
  await close_page(page);
});

test("unloaded when nobody uses it, loaded by the next message", async (t) => {
  const program = await start_program({ args: ["--models-dir", folder, "-m", "model", "--idle-unload", "0.02",
    "--background", "off"] });
  t.after(() => program.stop());
  const page = await open_page(browser, program.url);
  await send(page, "hi");
  await finished_answer(page);
  await mark(page);
  await page.waitForTimeout(3000);
  await look_at(page);
  await state(page, "unloaded");
  assert.match(await page.innerText("#model-banner"), /not in memory/);
  for (const { colorScheme, width } of kLooks) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 844 });
    await assert_accessible(page, `unloaded, ${colorScheme}, ${width} px`);
    await assert_fits(page, `unloaded, ${colorScheme}, ${width} px`);
  }
  const seen = [];
  await page.exposeFunction("badge_shows", (name) => { seen.push(name); });
  await page.evaluate(() => new MutationObserver(() => globalThis.badge_shows(
    document.getElementById("model-badge").dataset.state)).observe(document.querySelector(".bar"), { childList: true }));
  await send(page, "and now");
  await finished_answer(page);
  await page.waitForFunction(() => !document.querySelector("#model-banner .banner"));
  assert.ok(seen.includes("ready"), seen.join());
  await assert_same_page(page);
  await close_page(page);
});

test("the badge of a new chat is that of the model in the menu", async (t) => {
  const program = await start_program({ args: ["--models-dir", folder, "-m", "model"] });
  t.after(() => program.stop());
  const page = await open_page(browser, program.url);
  await mark(page);
  await page.click("[popovertarget=model-menu]");
  await page.selectOption("#model-choice", "other");
  await state(page, "unloaded");
  assert.equal(await page.innerText("#model-badge .model-name"), "other");
  await page.waitForFunction(() => document.getElementById("greeting-model").innerText === "other");
  await page.selectOption("#model-choice", "");
  await state(page, "ready");
  assert.equal(await page.locator("#model-banner .banner").count(), 0);
  await assert_same_page(page);
  await close_page(page);
});

test("a remote server goes away and comes back", async (t) => {
  const data_dir = mkdtempSync(join(tmpdir(), "notso-far-"));
  t.after(() => rmSync(data_dir, { recursive: true, force: true }));
  let far = await start_program({ data_dir });
  t.after(() => far.stop());
  const front = await start_program({ args: ["--backend", "remote", "--remote-url", `${far.url}/v1`] });
  t.after(() => front.stop());
  const page = await open_page(browser, front.url);
  page.expected.push("503");
  assert.match(await page.innerText(".fine"), /Remote model: your text goes to /);
  assert.match(await page.innerText("#model-badge"), /remote/);
  await send(page, "hello");
  await finished_answer(page);
  await mark(page);
  await far.stop({ keep: true });
  await send(page, "are you there?");
  await finished_answer(page);
  await state(page, "failed");
  assert.match(await page.innerText("#model-banner"), /The remote model can’t be used/);
  for (const { colorScheme, width } of kLooks) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 844 });
    await assert_accessible(page, `away, ${colorScheme}, ${width} px`);
    await assert_fits(page, `away, ${colorScheme}, ${width} px`);
  }
  far = await start_program({ data_dir, args: ["--backend", "stub", "--port", new URL(far.url).port] });
  await state(page, "ready", 60000);
  assert.equal(await page.locator("#model-banner .banner").count(), 0);
  await page.locator("form.retry button").filter({ visible: true }).last().click();
  await page.waitForSelector(".versions");
  await finished_answer(page);
  assert.equal(await page.locator("article.assistant").last().getAttribute("data-state"), "complete");
  await assert_same_page(page);
  await close_page(page);
});

test("the place in the queue stands in the pill", async (t) => {
  const program = await start_program();
  t.after(() => program.stop());
  for (let i = 0; i < 5; ++i) {  // four are answered at once
    const body = new URLSearchParams({ message: "[long 5000] [slow]" });
    await fetch(`${program.url}/chat`, { method: "POST", body, redirect: "manual" });
  }
  const page = await open_page(browser, program.url);
  await send(page, "hello");
  await page.waitForFunction(() => /^Queued \d+ ahead/.test(document.getElementById("pill-label")?.innerText));
  await page.click("#pill summary");
  for (const { colorScheme, width } of kLooks) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 844 });
    await assert_accessible(page, `queued, ${colorScheme}, ${width} px`);
    await assert_fits(page, `queued, ${colorScheme}, ${width} px`);
  }
  await page.click("#stop-button");
  await finished_answer(page);
  await close_page(page);
});

test("what is typed is sent in the pauses, where the server reads ahead", async (t) => {
  const program = await start_program({ args: ["--backend", "stub", "--background", "on"] });
  t.after(() => program.stop());
  const page = await open_page(browser, program.url);
  await send(page, "hello");
  await finished_answer(page);
  const drafts = [];
  page.on("request", (request) => {
    if (request.url().endsWith("/draft")) drafts.push(new URLSearchParams(request.postData()).get("message"));
  });
  const answered = () => page.waitForResponse((response) => response.url().endsWith("/draft"));
  const sentence = "The quick brown fox jumps over the lazy dog near the river";
  const first = answered();
  await page.locator("#message").pressSequentially(sentence);
  assert.equal((await first).status(), 204);
  assert.deepEqual(drafts, [sentence], "once, after the pause");
  await page.locator("#message").pressSequentially(" and sleeps");
  await page.waitForTimeout(2000);
  assert.equal(drafts.length, 1, "too little that is new");
  const second = answered();
  await page.locator("#message").pressSequentially(" until the sun goes down behind the hills");
  await second;
  assert.equal(drafts.length, 2);
  await page.keyboard.press("Enter");
  await page.waitForSelector("#send-button");
  await finished_answer(page);
  assert.equal(drafts.length, 2);
  await close_page(page);
});

test("a model that is not there is told, and nothing is hidden", async (t) => {
  const program = await start_program({ args: ["--models-dir", folder, "-m", "absent"], wait: false });
  t.after(() => program.stop());
  for (const { colorScheme, width } of kLooks) {
    const page = await open_page(browser, program.url, { colorScheme, viewport: { width, height: 640 } });
    await state(page, "failed");
    assert.equal(await page.innerText("#model-badge .model-name"), "No model");
    assert.match(await page.innerText("#greeting p"), /^No model is loaded\. What you write stays on this machine\.$/);
    const top = await page.evaluate(() => document.querySelector("#greeting h2").getBoundingClientRect().top);
    const banner = await page.evaluate(() => document.querySelector("#model-banner .banner").getBoundingClientRect().bottom);
    assert.ok(top >= banner, `the greeting begins at ${top}, the banner ends at ${banner}`);
    await assert_accessible(page, `failed, ${colorScheme}, ${width} px`);
    await close_page(page);
  }
});
