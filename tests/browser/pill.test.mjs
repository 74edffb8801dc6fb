// The status pill above the composer, phase by phase, and the numbers of a finished answer.
import assert from "node:assert/strict";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { close_page, finished_answer, launch, open_page, send } from "./browser.mjs";
import { real_model, start_program } from "./program.mjs";

let browser;
before(async () => { browser = await launch(); });
after(async () => { await browser?.close(); });

const kFake = fileURLToPath(new URL("../mcp/fake_server.py", import.meta.url));
const kStory = "Once upon a time a cat and a dragon walked through a dark forest. ".repeat(60);

/// Collects what the pill says while the page lives: its label, and its details behind a bar.
async function record(page) {
  const seen = [];
  await page.exposeFunction("pill_says", (text) => { seen.push(text); });
  await page.evaluate(() => {
    let last = "";
    const look = () => {
      const label = document.getElementById("pill-label")?.innerText;
      const text = `${label} | ${document.getElementById("pill-more")?.textContent}`;
      if (label && text !== last) globalThis.pill_says(last = text);
    };
    new MutationObserver(look).observe(document.getElementById("dock"), { childList: true, subtree: true, characterData: true });
    look();
  });
  return seen;
}

const pill_says = (page, pattern) =>
  page.waitForFunction((source) => new RegExp(source).test(document.getElementById("pill-label")?.innerText), pattern.source);

/// Begins a chat with that message, without a page.
const ask = (program, message) =>
  fetch(`${program.url}/chat`, { method: "POST", body: new URLSearchParams({ message }), redirect: "manual" });

test("waiting says how many are ahead, and opens to details", async (t) => {
  const program = await start_program();
  t.after(() => program.stop());
  for (let i = 0; i < 6; ++i) await ask(program, "[long 5000] [slow]");  // four are answered at once
  const page = await open_page(browser, program.url);
  await send(page, "hello");
  await pill_says(page, /^Queued 2 ahead$/);
  assert.equal(await page.locator("#pill details").getAttribute("open"), null);
  await page.click("#pill summary");
  assert.match(await page.innerText("#pill-more"), /Ahead of yours\s+2 messages/);
  await page.click("#stop-button");
  await finished_answer(page);
  await close_page(page);
});

test("waiting says about how long, where that is known", { skip: !real_model() && "no model" }, async (t) => {
  const program = await start_program({ args: ["-m", real_model(), "--background", "off", "--ctx", "2048", "--kv-memory", "48"] });
  t.after(() => program.stop());
  const page = await open_page(browser, program.url);
  await send(page, "hello");
  await finished_answer(page);
  for (let i = 0; i < 5; ++i) await ask(program, `${i} ${kStory}`);  // more than fit in memory together
  const seen = await record(page);
  await send(page, `Mine: ${kStory}`);
  await pill_says(page, /^Writing/);
  assert.ok(seen.some((text) => /^Queued \d+ ahead · about \d+ (s|min) \|.*Ahead of yours\d+ messages?Waitabout \d+ (s|min)/.test(text)), seen.join("\n"));
  await page.keyboard.press("Escape");
  await finished_answer(page);
  await close_page(page);
});

test("reading tells how much of the message and how fast, then writing does", { skip: !real_model() && "no model" }, async (t) => {
  const program = await start_program({ args: ["-m", real_model(), "--background", "off"] });
  t.after(() => program.stop());
  const page = await open_page(browser, program.url);
  await send(page, "hello");
  await finished_answer(page);
  const seen = await record(page);
  await send(page, kStory);
  await page.click("#pill summary");
  await pill_says(page, /^Writing \d+ tokens? · [\d.]+ tokens\/s/);
  assert.match(await page.innerText("#pill-more"), /Read\s+[\d,]+ of [\d,]+ tokens\s+Written\s+\d+ tokens?\s+Speed\s+[\d.]+ tokens\/s/);
  assert.equal(await page.locator("#pill details").getAttribute("open"), "", "it stays open");
  await page.keyboard.press("Escape");
  await finished_answer(page);
  assert.equal(await page.locator("#pill details").count(), 0, "nothing runs");
  const order = seen.map((text) => text.split(" ")[0]).filter((word, i, all) => word !== all[i - 1]);
  assert.deepEqual(order.slice(order.indexOf("Reading")), ["Reading", "Writing"], seen.join("\n"));
  assert.ok(seen.some((text) => /^Reading your message \d+ % · [\d.]+ tokens\/s/.test(text)), seen.join("\n"));
  await close_page(page);
});

test("thinking, then writing, each with tokens and speed", async (t) => {
  const program = await start_program();
  t.after(() => program.stop());
  const page = await open_page(browser, program.url);
  await send(page, "[think] [long 60] [slow]");
  await pill_says(page, /^Thinking \d+ tokens? · [\d.]+ tokens\/s$/);
  await pill_says(page, /^Writing \d+ tokens? · [\d.]+ tokens\/s$/);
  await finished_answer(page);
  await close_page(page);
});

test("a tool is named while it works, in the pill and in the answer, with what it was given", async (t) => {
  const data_dir = mkdtempSync(join(tmpdir(), "notso-browser-"));
  writeFileSync(join(data_dir, "mcp.json"), JSON.stringify({ mcpServers: { fake: { command: "python3", args: [kFake, "ok"] } } }));
  const program = await start_program({ data_dir });
  t.after(() => program.stop());
  const page = await open_page(browser, program.url);
  await page.goto(`${program.url}/tools`);
  for (let i = 0; i < 100 && await page.locator("text=fake__slow").count() === 0; ++i) {
    await page.waitForTimeout(200);
    await page.reload();
  }
  await page.goto(program.url);
  await send(page, '[call fake__slow {"of":"me"}]');
  await page.click(".asking button:has-text('Allow once')");
  await pill_says(page, /^Using fake slow$/);
  await page.waitForSelector("details.tool summary:has-text('Using fake slow…')");
  await page.click("details.tool summary");
  assert.match(await page.innerText("details.tool .body"), /Given\s+\{"of":"me"\}/);
  await page.keyboard.press("Escape");
  await finished_answer(page);
  await close_page(page);
});

test("the numbers of an answer: prompt and what was known of it, written, speed, first token, guesses", { skip: !real_model() && "no model" }, async (t) => {
  const program = await start_program({ args: ["-m", real_model(), "--background", "off"] });
  t.after(() => program.stop());
  const page = await open_page(browser, `${program.url}/settings`);
  await page.fill("#temperature", "0");
  await page.fill("#max_tokens", "60");
  await page.click("form.settings > button.primary");
  await page.waitForSelector("[role=status] >> text=Saved");
  await page.goto(program.url);
  await send(page, "Say this again, word for word: one two three four five six seven eight nine ten. one two three four five six seven eight nine ten.");
  await finished_answer(page);
  const last = page.locator(".stat").last();
  // Whether guesses pay follows from measured times: some answer of a few has them.
  for (let i = 0; i === 0 || (i < 5 && !/Guessed ahead/.test(await last.locator("dl").textContent())); ++i) {
    await send(page, "Once more, please: one two three four five six seven eight nine ten.");
    await finished_answer(page);
  }
  assert.match(await last.locator("summary").innerText(), /^\d+ tokens? · [\d.]+ tokens\/s · first after [\d.]+ (ms|s)$/);
  await last.locator("summary").click();
  const rows = await last.locator("dl").innerText();
  assert.match(rows, /Model\s+SmolLM2-135M/);
  const [, prompt, cached] = rows.match(/Prompt\s+(\d+) tokens, (\d+) of them cached/);
  assert.ok(Number(cached) > 40 && Number(cached) < Number(prompt), rows);
  assert.match(rows, /Written\s+\d+ tokens?/);
  assert.match(rows, /Speed\s+[\d.]+ tokens\/s/);
  assert.match(rows, /First token\s+after [\d.]+ (ms|s)/);
  assert.match(rows, /Guessed ahead\s+\d+ tokens?, \d+ % right/);
  const before = await page.locator(".stat").last().innerText();
  await page.reload();
  await page.locator(".stat summary").last().click();
  assert.equal(await page.locator(".stat").last().innerText(), before, "they are kept");
  await close_page(page);
});
