// The main job on the real model, and what a person does around it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { answer_text, close_page, counted_words, finished_answer, launch, open_page, send, wait_for_words } from "./browser.mjs";
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

test("a question to the real model is answered, streamed", { skip: !real_model() && "no model" }, async (t) => {
  const program = await start_program({ args: ["-m", real_model()] });
  t.after(() => program.stop());
  const page = await open_page(browser, program.url);
  await send(page, "What is the capital of France?");
  assert.match(await finished_answer(page), /Paris/);
  const lengths = new Set();
  await page.exposeFunction("seen", (length) => { lengths.add(length); });
  await page.evaluate(() => {
    new MutationObserver(() => {
      globalThis.seen(Array.from(document.querySelectorAll("article.assistant .prose")).at(-1).innerText.length);
    }).observe(document.getElementById("messages"), { childList: true, subtree: true, characterData: true });
  });
  await send(page, "Tell me a long story about a dragon and a cat.");
  await wait_for_words(page, 40);
  assert.ok(lengths.size >= 5, `the answer grew in ${lengths.size} steps`);
  await page.keyboard.press("Escape");
  assert.match(await finished_answer(page), /[a-z]{3}/);
  assert.match(await page.locator(".stat").last().innerText(), /tokens\/s/);
  await close_page(page);
});

test("the composer has the focus, Enter sends, Shift+Enter breaks the line", async () => {
  const page = await open_page(browser, stub.url);
  await page.waitForFunction(() => document.activeElement.id === "message");
  await page.keyboard.type("[echo] one");
  await page.keyboard.press("Shift+Enter");
  await page.keyboard.type("two");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/chat\//);
  assert.equal(await finished_answer(page), "[echo] one\ntwo");
  assert.equal(await page.innerText(".user .said"), "[echo] one\ntwo");
  assert.equal(await page.inputValue("#message"), "");
  assert.equal(await page.title(), "[echo] one · NotSo-SmolLM3");
  assert.equal(await page.evaluate(() => document.activeElement.id), "message");
  await send(page, "second");
  assert.match(await finished_answer(page), /You wrote: second/);
  assert.equal(await page.locator(".user").count(), 2);
  await close_page(page);
});

test("a message shows at once, and keeps its text when sending fails", async () => {
  const page = await open_page(browser, stub.url);
  await send(page, "first");
  await finished_answer(page);
  page.expected.push("net::ERR_FAILED", "htmx");
  await page.route("**/messages", (route) => route.abort());
  await page.fill("#message", "does not get through");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".user.failed");
  assert.match(await page.innerText(".user.failed"), /does not get through\s+Not sent/);
  await page.unroute("**/messages");
  await page.click(".user.failed button:has-text('Retry')");
  await page.waitForFunction(() => document.querySelectorAll("article.assistant").length === 2);
  assert.match(await finished_answer(page), /does not get through/);
  assert.equal(await page.locator(".user").count(), 2);
  assert.equal(await page.locator(".pending").count(), 0);
  await close_page(page);
});

test("a message that is too long is refused in words and not lost", async () => {
  const page = await open_page(browser, stub.url);
  await send(page, "first");
  await finished_answer(page);
  page.expected.push("413");
  await page.fill("#message", "x".repeat(300000));
  await page.keyboard.press("Enter");
  await page.waitForSelector("#alert p");
  assert.match(await page.innerText("#alert"), /262144/);
  await page.click(".user.failed button:has-text('Edit')");
  assert.equal((await page.inputValue("#message")).length, 300000);
  await close_page(page);
});

test("Escape stops, and the partial text stays", async () => {
  const page = await open_page(browser, stub.url);
  await send(page, "[long 400] [slow]");
  await wait_for_words(page, 10);
  assert.match(await page.innerText("#pill"), /Writing/);
  await page.keyboard.press("Escape");
  const text = await finished_answer(page, 5000);
  const words = text.split(" ").length;
  assert.ok(words >= 10 && words < 390, `${words} words`);
  assert.equal(text, counted_words(words));
  assert.match(await page.locator(".note").last().innerText(), /You stopped/);
  await page.reload();
  assert.equal(await answer_text(page), text);
  await close_page(page);
});

test("Enter while an answer runs sends the message after it", async () => {
  const page = await open_page(browser, stub.url);
  await send(page, "[long 40] [slow]");
  await page.fill("#message", "next question");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#waiting li");
  assert.equal(await page.locator(".user").count(), 1, "it is not among the messages yet");
  assert.equal(await page.inputValue("#message"), "");
  await page.waitForFunction(() => document.querySelectorAll("article.assistant").length === 2);
  assert.match(await finished_answer(page), /You wrote: next question/);
  assert.equal(await page.locator("article.assistant .prose").first().innerText(), counted_words(40));
  await close_page(page);
});

test("thoughts stand in a closed details with their duration", async () => {
  const page = await open_page(browser, stub.url);
  await page.check("#thinking");
  await send(page, "[slow] hello");
  await page.waitForFunction(() => /Thinking/.test(document.querySelector("#pill")?.innerText));
  await finished_answer(page);
  const details = page.locator("details.aside");
  assert.equal(await details.getAttribute("open"), null);
  assert.match(await details.locator("summary").innerText(), /Thought for \d/);
  await details.locator("summary").click();
  assert.match(await details.innerText(), /This is scripted thinking/);
  assert.ok(await page.isChecked("#thinking"), "the switch is the conversation's");
  await Promise.all([page.waitForResponse(/\/thinking$/), page.selectOption("#budget", "512")]);
  await page.reload();
  assert.equal(await page.inputValue("#budget"), "512", "and so is the budget");
  await page.uncheck("#thinking");
  await send(page, "again");
  await finished_answer(page);
  assert.equal(await page.locator("article.assistant").last().locator("details.aside").count(), 0);
  await close_page(page);
});

test("opened thoughts stay open while the answer ends", async () => {
  const page = await open_page(browser, stub.url);
  await send(page, "[think] [slow] [long 20]");
  await page.click("details.aside summary");
  await finished_answer(page);
  assert.equal(await page.locator("details.aside").getAttribute("open"), "");
  assert.match(await page.innerText("details.aside .body"), /^This is scripted thinking.*think about\.$/);
  await close_page(page);
});

test("thoughts that go round in circles are ended, with a note, and the answer follows", async () => {
  const page = await open_page(browser, stub.url);
  await send(page, "[loop] [echo] well");
  assert.match(await finished_answer(page), /well/);
  const kLabel = /^Thought for [\d.]+ (ms|s) · \d+ tokens · ended: it went round in circles$/;
  assert.match(await page.innerText("details.aside summary"), kLabel);
  await page.reload();
  assert.match(await page.innerText("details.aside summary"), kLabel);
  await close_page(page);
});

test("thoughts are switched for one message, for a chat, and limited in the settings", async (t) => {
  const own = await start_program();
  t.after(() => own.stop());
  const page = await open_page(browser, `${own.url}/settings`);
  await page.fill("#thinking_budget", "5");
  await page.click("form.settings > button.primary");
  await page.waitForSelector("[role=status] >> text=Saved");
  await page.goto(own.url);
  assert.ok(!await page.isChecked("#thinking"), "new chats begin without");
  const thoughts = () => page.locator("article.assistant").last().locator("details.aside summary").allInnerTexts();
  const ask = async (text) => {
    await send(page, text);
    await finished_answer(page);
  };
  await page.check("#thinking");
  await ask("with");
  assert.match((await thoughts()).join(), /^Thought for [\d.]+ (ms|s) · 5 tokens · ended: the thinking budget was used up$/);
  await page.uncheck("#thinking");
  await ask("without");
  assert.deepEqual(await thoughts(), []);
  await page.check("#thinking");
  await ask("with again");
  assert.equal((await thoughts()).length, 1);
  const other = await open_page(browser, own.url, { context: page.context() });
  assert.ok(!await other.isChecked("#thinking"), "it is that chat's");
  await other.close();
  await close_page(page);
});

test("Answer now ends the thoughts, and the answer follows", async () => {
  const page = await open_page(browser, stub.url);
  await send(page, "[think] [slow] [echo] well");
  await page.click("text=Answer now");
  assert.match(await finished_answer(page), /well/);
  assert.match(await page.innerText("details.aside summary"), /you asked for the answer/);
  assert.equal(await page.locator("text=Answer now").count(), 0);
  await page.reload();
  assert.match(await page.innerText("details.aside summary"), /you asked for the answer/);
  await close_page(page);
});

test("an answer that fails says why", async () => {
  const page = await open_page(browser, stub.url);
  await send(page, "[error] [long 10]");
  await finished_answer(page);
  assert.match(await page.innerText(".note.failed"), /broke off|No answer came/);
  await close_page(page);
});

test("a draft survives a reload; a link prefills and sends nothing", async () => {
  const page = await open_page(browser, stub.url);
  await page.fill("#message", "half a thought");
  await page.reload();
  assert.equal(await page.inputValue("#message"), "half a thought");
  await page.goto(`${stub.url}/?prefill=a%20%3Cb%3E%20%22c%22`);
  assert.equal(await page.inputValue("#message"), 'a <b> "c"');
  await close_page(page);
});

test("what is typed before the page's script runs is kept too", async () => {
  const page = await open_page(browser, stub.url);
  await page.route("**/*.js*", async (route) => {
    await new Promise((resolve) => setTimeout(resolve, 300));
    await route.continue();
  });
  await page.goto(stub.url, { waitUntil: "commit" });
  await page.fill("#message", "quick fingers");
  await page.waitForLoadState("domcontentloaded");
  await page.goto(stub.url);
  assert.equal(await page.inputValue("#message"), "quick fingers");
  await close_page(page);
});

test("the page keeps following text that grows between two frames", async () => {
  const page = await open_page(browser, stub.url, { viewport: { width: 1280, height: 500 } });
  await send(page, "[markdown]");
  await finished_answer(page);
  const far_from_end = await page.evaluate(async () => {
    const box = document.getElementById("scroll");
    const block = document.createElement("p");
    block.style.height = "600px";
    box.scrollTop -= 20;
    await new Promise((resolve) => setTimeout(resolve, 100));
    box.scrollTop = box.scrollHeight;
    document.getElementById("messages").append(block);
    for (let frame = 0; frame < 3; ++frame) await new Promise(requestAnimationFrame);
    return box.scrollHeight - box.scrollTop - box.clientHeight;
  });
  assert.ok(far_from_end < 2, `${far_from_end} px from the end`);
  assert.ok(await page.locator("#jump").isHidden());
  await close_page(page);
});

test("a reader who scrolls up is left alone, and can jump to the newest text", async () => {
  const page = await open_page(browser, stub.url, { viewport: { width: 1280, height: 500 } });
  await send(page, "[long 600]");
  await wait_for_words(page, 200);
  await page.locator("#scroll").hover();
  await page.mouse.wheel(0, -400);
  await page.waitForSelector("#jump", { state: "visible" });
  const top = () => page.evaluate(() => document.getElementById("scroll").scrollTop);
  const before = await top();
  const words = (await answer_text(page)).split(/\s+/).length;
  await wait_for_words(page, words + 50);
  assert.equal(await top(), before);
  await page.click("#jump");
  await page.waitForSelector("#jump", { state: "hidden" });
  await finished_answer(page);
  assert.ok(await page.evaluate(() => {
    const box = document.getElementById("scroll");
    return box.scrollHeight - box.scrollTop - box.clientHeight < 2;
  }));
  await close_page(page);
});

test("rename and delete", async () => {
  const page = await open_page(browser, stub.url);
  await send(page, "about to be renamed");
  await finished_answer(page);
  await page.click("[popovertarget=chat-menu]");
  await page.fill("#new-title", "<b>Bold</b> & title");
  await page.click("#chat-menu button:has-text('Rename')");
  await page.waitForFunction(() => document.querySelector("#title").textContent === "<b>Bold</b> & title");
  assert.equal(await page.innerText(".chats a[aria-current]"), "<b>Bold</b> & title");
  await page.click("[popovertarget=chat-menu]");
  await page.click("#chat-menu summary");
  const url = page.url();
  await page.click("#chat-menu .danger-button");
  await page.waitForURL(`${stub.url}/?deleted=*`);
  page.expected.push("404");
  const response = await page.goto(url);
  assert.equal(response.status(), 404);
  assert.match(await page.innerText("main"), /does not exist/);
  await close_page(page);
});

test("code and answers can be copied", async () => {
  const page = await open_page(browser, stub.url, { permissions: ["clipboard-read", "clipboard-write"] });
  await send(page, "[markdown]");
  await finished_answer(page);
  await page.click(".code .copy");
  assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^int main\(\) \{\n {4}return 0;/);
  assert.equal(await page.innerText(".code .copy"), "Copied");
  await page.click("[data-copy=answer]");
  await page.waitForSelector("[data-copy=answer] use[href='#i-check']");
  assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^# A scripted answer\n[^]*\| city \| country \|[^]*https:\/\/example\.org\.\n$/);
  await close_page(page);
});

test("the colours can be chosen and stay", async () => {
  const page = await open_page(browser, stub.url, { colorScheme: "light" });
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await page.waitForLoadState("load");
  assert.equal(await ground(), "rgb(224, 229, 236)");
  await page.click("#theme-toggle");
  await page.click("#theme-toggle");
  assert.equal(await ground(), "rgb(35, 39, 47)");
  await page.reload();
  assert.equal(await ground(), "rgb(35, 39, 47)");
  await close_page(page);
});
