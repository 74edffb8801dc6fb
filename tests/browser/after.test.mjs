// What the model makes of an answer while nobody waits: a title, and questions to ask next.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { close_page, finished_answer, launch, open_page, send } from "./browser.mjs";
import { real_model, start_program } from "./program.mjs";

const kSkip = { skip: !real_model() && "no model" };
let browser;
let program;
before(async () => {
  browser = await launch();
  if (real_model()) program = await start_program({ args: ["-m", real_model(), "--background", "on"] });
});
after(async () => {
  await browser?.close();
  await program?.stop();
});

const questions = (page) => page.locator("#after a");

/// Asks until questions stand below an answer: a small model's are not always worth showing.
async function ask_until_questions(page) {
  for (const text of ["Explain gravity to a child", "What is a black hole?", "How do plants grow?", "Why is the sky blue?", "What is the moon made of?"]) {
    const news = page.waitForResponse((response) => response.url().endsWith("/after"), { timeout: 60000 });
    await send(page, text);
    await finished_answer(page);
    await news;
    await page.waitForFunction(() => !document.querySelector("#after [hx-get]"));
    if (await questions(page).count() > 0) return;
  }
  assert.fail("no question in five answers");
}

test("a title comes after the first answer", kSkip, async () => {
  const page = await open_page(browser, program.url);
  const news = page.waitForResponse((response) => response.url().endsWith("/after"), { timeout: 60000 });
  await send(page, "Explain gravity to a child");
  await finished_answer(page);
  await news;
  await page.waitForFunction(() => !document.querySelector("#after [hx-get]"));
  const title = await page.innerText("#title");
  assert.ok(title.length >= 3 && title.length <= 60, title);
  assert.equal(await page.locator(".chats a[aria-current]").textContent(), title);
  assert.equal(await page.title(), `${title} · NotSo-SmolLM3`);
  assert.equal(await page.inputValue("#new-title"), title);
  await close_page(page);
});

test("up to three questions stand below the last answer; one fills the composer, sending takes them away", kSkip, async () => {
  const page = await open_page(browser, program.url);
  await ask_until_questions(page);
  assert.ok(await questions(page).count() <= 3);
  const asked = await page.locator(".user").count();
  const question = await questions(page).first().innerText();
  await questions(page).first().click();
  assert.equal(await page.inputValue("#message"), question);
  assert.equal(await page.locator(".user").count(), asked, "nothing is sent");
  await page.keyboard.press("Enter");
  await page.waitForFunction((count) => document.querySelectorAll(".user").length > count, asked);
  assert.equal(await questions(page).count(), 0);
  await finished_answer(page);
  await close_page(page);
});

test("who sends does not wait for questions that are being made", kSkip, async () => {
  const page = await open_page(browser, program.url);
  let go_on;
  const held = new Promise((resolve) => { go_on = resolve; });
  await page.route("**/after", async (route) => {
    await held;
    await route.continue().catch(() => {});
  }, { times: 1 });
  await send(page, "Explain gravity to a child");
  await finished_answer(page);
  await page.waitForSelector("#after [hx-get]", { state: "attached" });  // they are being made now
  await send(page, "What is the capital of France?");
  await finished_answer(page);
  assert.equal(await page.locator("article.assistant[data-state=complete]").count(), 2);
  go_on();
  await close_page(page);
});
