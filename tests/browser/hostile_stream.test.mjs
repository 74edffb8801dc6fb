// Hundreds of hostile texts as thoughts, answers and tool calls while they are written: a browser reads the events that
// the server would send after every few characters (NOTSO_LONG=1: after each one).
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, before, test } from "node:test";
import { watch } from "./allowed.mjs";
import { assert_no_troubles, finished_answer, launch, open_page, send } from "./browser.mjs";
import { kPayloads } from "./payloads.mjs";
import { start_program } from "./program.mjs";

const kStep = process.env.NOTSO_LONG ? 1 : 7;

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

/// The server's events for a tab that watches `answer` being these texts, one after the other.
function painted(answer, conversation, texts) {
  const lines = texts.map((text) => JSON.stringify(text)).join("\n");
  const done = spawnSync(process.env.NOTSO_PAINT, [answer, conversation, String(kStep)],
    { input: lines, maxBuffer: 1 << 30 });
  assert.equal(done.status, 0, String(done.stderr));
  return done.stdout;
}

test("there are enough of them", () => {
  assert.ok(kPayloads.length >= 300, `${kPayloads.length}`);
  assert.equal(new Set(kPayloads).size, kPayloads.length);
});

test("the check finds what it looks for", async () => {
  const context = await browser.newContext();
  await watch(context);
  const page = await open_page(browser, program.url, { context });
  const found = (html) => page.evaluate((text) => globalThis.unwanted_in_html(text, "main"), `<main>${html}</main>`);
  for (const bad of ["<img>", "<p onclick=x>", "<p style=x>", "<div class=prose><div><p id=x></div></div>", "<p class=said><b>x</b></p>",
    "<div class=prose><div><a href=javascript:x>", "<div class=prose><div><div class=app>", "<form action=//x>", "<script>"]) {
    assert.equal((await found(bad)).length > 0, true, bad);
  }
  assert.deepEqual(await found("<div class=prose><div><p><em>x</em></p></div></div><p class=said>x</p>"), []);
  await context.close();
});

test("nothing of them runs or loads while it is written", async () => {
  const context = await browser.newContext();
  await watch(context);
  const page = await open_page(browser, "about:blank", { context });
  page.troubles.length = 0;
  page.expected.push("request to");
  const far = [];
  page.on("request", (request) => {
    if (!request.url().startsWith(program.url)) far.push(request.url());
  });
  page.on("dialog", (dialog) => { far.push(dialog.message()); dialog.dismiss(); });
  await page.addInitScript(() => {
    globalThis.looked = 0;
    globalThis.troubles = [];
    document.addEventListener("htmx:after:swap", () => {
      const article = document.querySelector("article.assistant");
      if (!article) return;
      ++globalThis.looked;
      globalThis.troubles.push(...globalThis.unwanted(article));
    });
  });
  let conversation;
  await page.route("**/stream*", (route) => {
    conversation = new URL(route.request().url()).pathname.split("/")[2];
    const [answer] = new URL(route.request().url()).searchParams.get("from").split("-");
    return route.fulfill({ contentType: "text/event-stream", body: painted(answer, conversation, kPayloads) });
  });
  await page.goto(program.url);
  await send(page, "[long 9000] [slow]");
  await finished_answer(page, 500000);
  assert.equal((await page.locator("article.assistant .prose").last().innerText()).trim(), "The end.");
  const { looked, troubles, pwned } = await page.evaluate(() =>
    ({ looked: globalThis.looked, troubles: globalThis.troubles, pwned: globalThis.pwned }));
  assert.ok(looked > kPayloads.length, `${looked} swaps were looked at`);
  assert.deepEqual(Array.from(new Set(troubles)), []);
  assert.deepEqual(far, []);
  assert.equal(pwned, undefined);
  assert_no_troubles(page);
  await context.close();
});
