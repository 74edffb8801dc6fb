// axe on every state of the page, light and dark, wide and narrow; keyboard only; small windows.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { assert_accessible, assert_fits, checker, kLooks } from "./accessibility.mjs";
import { close_page, finished_answer, launch, open_page, send, wait_for_words } from "./browser.mjs";
import { start_program } from "./program.mjs";

let browser;
let program;
before(async () => {
  browser = await launch();
  program = await start_program();
  const seed = await open_page(browser, program.url);
  await send(seed, "[think] [markdown]");
  await finished_answer(seed);
  await close_page(seed);
});
after(async () => {
  await browser?.close();
  await program?.stop();
});

for (const { colorScheme, width, what } of kLooks) {
  const look = { colorScheme, viewport: { width, height: 800 } };
  test(`axe: ${what}`, async () => {
    const page = await open_page(browser, program.url, look);
    const check = checker(page, what);
    await page.waitForSelector("#message");
    await page.check("#thinking");
    await check("empty, thinking on");
    await page.uncheck("#thinking");
    await check("empty");
    await send(page, "[think] [markdown] [slow]");
    await page.waitForSelector("#pill details");
    await check("thinking");
    await page.waitForFunction(() => /France/.test(document.querySelector(".prose").innerText));
    await page.click("#pill summary");
    await check("streaming");
    await finished_answer(page);
    await page.click("details.aside summary");
    await check("answered, thoughts open");
    await send(page, "[error] fail please");
    await finished_answer(page);
    await check("failed answer");
    page.expected.push("ERR_FAILED", "htmx", "404");
    await page.route("**/messages", (route) => route.abort());
    await page.fill("#message", "lost");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".user.failed");
    await check("not sent");
    await page.click("[popovertarget=chat-menu]");
    await page.click("#chat-menu summary");
    await check("menu open");
    await page.keyboard.press("Escape");
    if (width < 700) {
      await page.click("[aria-label='Open conversations']");
      await check("drawer open");
    }
    await page.goto(`${program.url}/chat/nowhere`);
    await check("not found");
    await close_page(page);
  });

  // axe itself needs script, so the page's own is kept away instead of switching JavaScript off.
  test(`axe without the page's script: ${what}`, async () => {
    const page = await open_page(browser, "about:blank", look);
    page.expected.push("ERR_FAILED", "request to");
    await page.route("**/app.*.js", (route) => route.abort());
    await page.goto(program.url);
    await page.fill("#message", "[markdown]");
    await page.click("#send-button", { noWaitAfter: true });
    await page.waitForSelector("article.assistant table");
    await page.waitForSelector("#composer");
    await assert_accessible(page, `after sending, ${what}`);
    await assert_fits(page, what);
    await close_page(page);
  });
}

test("nothing sticks out at 320 px, nor at 400 % zoom", async () => {
  for (const viewport of [{ width: 320, height: 800 }, { width: 320, height: 225 }]) {
    const page = await open_page(browser, program.url, { viewport });
    await assert_fits(page, "empty");
    await send(page, "[think] [markdown]");
    await finished_answer(page);
    await page.click("details.aside summary");
    await assert_fits(page, "answered");
    await page.click("[popovertarget=chat-menu]");
    await assert_fits(page, "menu open");
    await close_page(page);
  }
});

test("axe: more contrast, forced colours, reduced motion", async () => {
  for (const look of [{ contrast: "more" }, { forcedColors: "active" }, { reducedMotion: "reduce" }]) {
    const page = await open_page(browser, program.url, look);
    await send(page, "[markdown] [slow]");
    await wait_for_words(page, 5);
    await assert_accessible(page, JSON.stringify(look));
    if (look.reducedMotion) {
      const moving = await page.evaluate(() => document.getAnimations().length);
      assert.equal(moving, 0);
    }
    await close_page(page);
  }
});

test("axe: the model can’t be loaded", async (t) => {
  const broken = await start_program({ args: ["-m", "/nowhere/model.gguf"], wait: false });
  t.after(() => broken.stop());
  const page = await open_page(browser, broken.url);
  await page.waitForSelector(".banner.error", { timeout: 10000 });
  assert.match(await page.innerText(".banner.error"), /\/nowhere\/model\.gguf/);
  await assert_accessible(page, "model failed");
  page.expected.push("503");
  await page.fill("#message", "anybody there?");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#alert p");
  assert.match(await page.innerText(".user.failed"), /anybody there\?/);
  await close_page(page);
});

test("the keyboard alone: send, stop, open thoughts, reach every control", async () => {
  const page = await open_page(browser, program.url);
  await page.waitForFunction(() => document.activeElement.id === "message");
  await page.keyboard.type("[think] [long 200] [slow]");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/chat\//);
  await wait_for_words(page, 3);
  await page.keyboard.press("Escape");
  await finished_answer(page, 5000);
  await page.check("#thinking");  // then there is a budget to choose
  const reached = new Set();
  for (let i = 0; i < 80; ++i) {
    await page.keyboard.press("Tab");
    const focus = await page.evaluate(() => {
      const node = document.activeElement;
      const style = getComputedStyle(node);
      const ring = style.outlineStyle !== "none" || node.id === "message" || node.matches(".switch input");
      return { name: node.id || node.className || node.tagName, ring, tag: node.tagName };
    });
    if (focus.tag === "BODY") continue;
    assert.ok(focus.ring, `${focus.name} shows its focus`);
    reached.add(focus.name);
  }
  for (const control of ["new-chat", "theme-toggle", "message", "thinking", "budget", "send-button", "scroll"]) {
    assert.ok(reached.has(control), `${control} among ${Array.from(reached)}`);
  }
  await page.focus("details.aside summary");
  await page.keyboard.press("Enter");
  assert.equal(await page.locator("details.aside").getAttribute("open"), "");
  await close_page(page);
});

/// What is announced from now on.
async function listen(page) {
  const heard = [];
  await page.exposeFunction("heard", (text) => { heard.push(text); });
  await page.evaluate(() => {
    new MutationObserver(() => globalThis.heard(document.getElementById("announcer").textContent))
      .observe(document.getElementById("announcer"), { childList: true, characterData: true, subtree: true });
  });
  return heard;
}

test("screen readers hear the start and the end, not every word", async () => {
  const page = await open_page(browser, program.url);
  await send(page, "hello");
  await finished_answer(page);
  const heard = await listen(page);
  await send(page, "[long 30] [slow]");
  assert.equal(await page.locator("article.assistant").last().getAttribute("aria-busy"), "true");
  await finished_answer(page);
  await page.waitForFunction(() => /Answer ready/.test(document.getElementById("announcer").textContent));
  assert.deepEqual(heard, ["Generating", "Answer ready, 30 words"]);
  assert.equal(await page.getAttribute("#scroll", "aria-live"), "off");
  await close_page(page);
});

test("what is announced over time: a long answer, stopped, going on, another try, a failure", async () => {
  const page = await open_page(browser, program.url);
  await page.clock.install();
  await page.goto(program.url);
  await send(page, "hello");
  await finished_answer(page);
  const heard = await listen(page);
  const last = (text) => page.waitForFunction((wanted) => document.getElementById("announcer").textContent.startsWith(wanted), text);
  const takes = (wanted) => assert.deepEqual(heard.splice(0), wanted);
  await send(page, "[long 100] [slow]");
  await last("Generating");
  await page.clock.fastForward(10000);
  await last("Still working");
  await page.clock.fastForward(10000);
  await last("Still working…");
  await page.clock.fastForward(10000);
  await finished_answer(page);
  await last("Answer ready");
  takes(["Generating", "Still working", "Still working…", "Still working", "Answer ready, 100 words"]);
  await page.clock.fastForward(60000);
  await send(page, "[long 400] [slow]");
  await wait_for_words(page, 3);
  await page.keyboard.press("Escape");
  await finished_answer(page);
  await last("Stopped");
  takes(["Generating", "Stopped"]);
  await page.click("form.continue button");
  await page.waitForSelector("#stop-button");
  await page.keyboard.press("Escape");
  await finished_answer(page);
  await last("Stopped");
  takes(["Generating", "Stopped"]);
  await page.locator("form.retry button").filter({ visible: true }).last().click();
  await page.waitForSelector("#stop-button");
  await page.keyboard.press("Escape");
  await finished_answer(page);
  await last("Stopped");
  takes(["Generating", "Stopped"]);
  await send(page, "[error] [long 4]");
  await finished_answer(page);
  await last("No answer.");
  assert.match(heard.splice(0).join(" | "), /^Generating \| No answer\. .+\.$/);
  assert.equal(await page.locator("#scroll [role=status], #scroll [role=alert], #scroll [aria-live]").count(), 0, "nothing else is read out");
  await close_page(page);
});

test("targets are large enough", async () => {
  const page = await open_page(browser, program.url, { viewport: { width: 360, height: 740 } });
  await send(page, "[markdown]");
  await finished_answer(page);
  await page.evaluate(() => { document.getElementById("jump").hidden = false; });
  const small = await page.evaluate(() => Array.from(document.querySelectorAll("button, .button, summary, .chats a, .switch"))
    .filter((node) => node.checkVisibility() && !node.matches("#pill summary"))
    .map((node) => [node.id || node.className, node.getBoundingClientRect()])
    .filter(([, box]) => box.height < 43.5 || box.width < 43.5).map(([name]) => name));
  assert.deepEqual(small, []);
  await close_page(page);
});
