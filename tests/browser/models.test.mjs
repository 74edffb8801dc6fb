// The menu of models and the page of models: choosing, fetching, cancelling, with script and without, and axe on each.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { checker, kLooks } from "./accessibility.mjs";
import { answer_text, close_page, finished_answer, launch, open_page, send, wait_for_words } from "./browser.mjs";
import { real_model, start_program } from "./program.mjs";

const golden = (name) => fileURLToPath(new URL(`../golden/models/${name}.gguf`, import.meta.url));
const data = readFileSync(golden("tiny_llama"));
const pointer = `oid sha256:${createHash("sha256").update(data).digest("hex")}\nsize ${data.length}\n`;

let browser;
let folder;
let program;
let hub;
let held;  // answers that wait half-way; null: none waits

before(async () => {
  browser = await launch();
  hub = createServer((request, response) => {
    if (request.url.includes("/raw/")) return response.end(pointer);
    const start = Number(/bytes=(\d+)-/.exec(request.headers.range)?.[1] ?? 0);
    const range = start ? { "Content-Range": `bytes ${start}-${data.length - 1}/${data.length}` } : {};
    response.writeHead(start ? 206 : 200, { ETag: '"1"', "Content-Length": data.length - start, ...range });
    if (!held) return response.end(data.subarray(start));
    response.write(data.subarray(start, start + 50000));
    held.push(() => response.end(data.subarray(start + 50000)));
  });
  await new Promise((resolve) => hub.listen(0, "127.0.0.1", resolve));
  folder = mkdtempSync(join(tmpdir(), "notso-models-"));
  mkdirSync(join(folder, "models"));
  copyFileSync(golden("tiny_llama"), join(folder, "models", "model.gguf"));
  copyFileSync(golden("tiny_qwen2"), join(folder, "models", "another-model-with-a-rather-long-name.gguf"));
  process.env.no_proxy = "127.0.0.1";
  program = await start_program({
    args: ["--models-dir", join(folder, "models"), "--hub", `http://127.0.0.1:${hub.address().port}`],
  });
});
after(async () => {
  await browser?.close();
  await program?.stop();
  hub?.close();
  hub?.closeAllConnections();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

const fetch_model = async (page, name) => {
  await page.fill("#pull-path", `o/r/${name}.gguf`);
  await page.click(".pull-form button");
};

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? "with script" : "without script";

  test(`a new chat gets the model of the menu, and can change it: ${how}`, async () => {
    const page = await open_page(browser, program.url, { javaScriptEnabled });
    await page.click("[popovertarget=model-menu]");
    await page.selectOption("#model-choice", "another-model-with-a-rather-long-name");
    await page.keyboard.press("Escape");
    await page.fill("#message", "hi");
    await page.click("#send-button", { noWaitAfter: true });
    await page.waitForURL(/\/chat\//);
    await page.waitForSelector("#composer");
    assert.match(await page.textContent("#model-badge .model-name"), /another-model/);
    await page.goto(page.url().replace(/\?.*/, ""));
    await page.click("[popovertarget=model-menu]");
    assert.equal(await page.inputValue("#model-choice"), "another-model-with-a-rather-long-name");
    await page.selectOption("#model-choice", "");
    await page.click("#model-menu .line button");
    await page.waitForLoadState("load");
    assert.equal(await page.textContent("#model-badge .model-name"), "model");
    await page.click("[popovertarget=model-menu]");
    // The numbers that are waited for are those of the new page: going on before it is there would cut its way off.
    await page.locator("article.assistant .stat").evaluateAll((all) => all.forEach((stat) => stat.remove()));
    await page.click("#model-menu button[formaction$='/again']", { noWaitAfter: true });
    await page.waitForSelector("article.assistant .stat, form.retry:has-text('Retry')", { timeout: 30000 });
    await page.goto(page.url().replace(/\?.*/, ""));
    await page.waitForSelector(".versions [aria-label='Version 2 of 2']");
    await page.click(".stat summary");
    assert.match(await page.textContent(".stat"), /Model\s*model(?!-)/, "who wrote it is told");
    await page.click(".versions [aria-label='Older version']");
    await page.waitForSelector(".versions [aria-label='Version 1 of 2']");
    await page.click(".stat summary");
    assert.match(await page.textContent(".stat"), /another-model/);
    await close_page(page);
  });

  test(`fetch a model, cancel, go on: ${how}`, async () => {
    const name = javaScriptEnabled ? "scripted" : "plain";
    held = [];
    const page = await open_page(browser, `${program.url}/models`, { javaScriptEnabled });
    await fetch_model(page, name);
    await page.waitForSelector("progress");
    await page.getByRole("button", { name: "Cancel" }).click();
    const refresh = async (text) => {
      for (let i = 0; i < 100 && !(await page.innerText(".models")).includes(text); ++i) {
        await page.waitForTimeout(100);
        if (!javaScriptEnabled) await page.reload();
      }
      assert.ok((await page.innerText(".models")).includes(text), await page.innerText(".models"));
    };
    await refresh(`${name}.gguf was cancelled.`);
    held = null;
    await fetch_model(page, name);
    await refresh(`${name}.gguf is installed.`);
    await page.goto(`${program.url}/models`);
    assert.ok((await page.innerText(".model-list")).includes(name), "it is in the list");
    await close_page(page);
  });
}

test("the menu has every model with its size and what it takes in memory; a running answer keeps its own", { skip: !real_model() && "no model" }, async (t) => {
  const own = await start_program({ args: ["--models-dir", join(folder, "models"), "-m", real_model(), "--background", "off"] });
  t.after(() => own.stop());
  const page = await open_page(browser, `${own.url}/settings`);
  await page.fill("#temperature", "0");  // then the story is a long one
  await page.click("form.settings > button.primary");
  await page.waitForSelector("[role=status] >> text=Saved");
  await page.goto(own.url);
  const options = await page.locator("#model-choice option").allTextContents();
  assert.ok(options.length >= 3, options.join());
  for (const option of options) assert.match(option, /\([\d.]+ (k|M)B[^)]*[\d.]+ (k|M|G)B in memory[^)]*\)$/);
  await send(page, "Tell me a long story about a dragon and a cat.");
  await page.waitForURL(/\/chat\//);
  await wait_for_words(page, 10);
  const before_switch = await answer_text(page);
  await page.click("[popovertarget=model-menu]");
  await page.selectOption("#model-choice", "model");
  await page.click("#model-menu .line button");
  await page.waitForFunction(() => document.querySelector("#model-badge .model-name").innerText === "model");
  await wait_for_words(page, before_switch.split(/\s+/).length + 20);
  if (await page.isVisible("#stop-button")) await page.keyboard.press("Escape");
  const whole = await finished_answer(page);
  assert.ok(whole.startsWith(before_switch.slice(0, -10)), "it is the same answer");
  await page.click(".stat summary");
  assert.match(await page.innerText(".stat"), /Model\s+SmolLM2-135M/, "written by the model that began it");
  await send(page, "And now?");
  await finished_answer(page);
  await page.locator(".stat summary").last().click();
  assert.match(await page.locator(".stat").last().innerText(), /Model\s+model/, "the next one is the other model's");
  await close_page(page);
});

for (const { colorScheme, width, what } of [...kLooks, { colorScheme: "light", width: 320, what: "light, 320 px" }]) {
  test(`axe: models, ${what}`, async () => {
    const page = await open_page(browser, program.url, { colorScheme, viewport: { width, height: 700 } });
    const check = checker(page, what);
    await page.click("[popovertarget=model-menu]");
    await check("menu open");
    await page.click("#model-menu a");
    await page.waitForSelector(".model-list");
    await check("models");
    held = [];
    await fetch_model(page, `axe-${colorScheme}-${width}`);
    await page.waitForSelector("progress");
    await check("fetching");
    held.splice(0).forEach((go_on) => go_on());
    held = null;
    await page.waitForSelector(".note");
    await check("installed");
    await fetch_model(page, "model");
    await page.waitForSelector(".note");
    await check("installed before");
    await close_page(page);
  });
}
