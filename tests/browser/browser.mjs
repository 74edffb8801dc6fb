// One Chromium for a test file; every page is watched for what must never happen: requests to other hosts, scripts
// that the content security policy had to stop, errors in the console.
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const kArguments = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-component-update",
  "--disable-background-networking", "--disable-sync"];

/// @param more  Further arguments of Chromium.
export function launch(more = []) {
  return chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: [...kArguments, ...more] });
}

/// A page in a context of its own. page.troubles lists what went wrong; close_page() asserts that nothing did.
export async function open_page(browser, url, options = {}) {
  const context = options.context || await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.troubles = [];
  page.expected = [];
  page.on("console", (message) => {
    if (message.type() === "error") page.troubles.push(message.text());
  });
  page.on("pageerror", (error) => page.troubles.push(String(error)));
  page.on("request", (request) => {
    if (!request.url().startsWith(new URL(url).origin)) page.troubles.push(`request to ${request.url()}`);
  });
  // The page's script has run then; without it, a page may stay open for as long as an answer takes.
  await page.goto(url, { waitUntil: options.javaScriptEnabled === false ? "commit" : "domcontentloaded" });
  return page;
}

/// @param page.expected  Substrings of troubles that the test provoked itself.
export function assert_no_troubles(page) {
  const surprises = page.troubles.filter((text) => !page.expected.some((known) => text.includes(known)));
  assert.deepEqual(surprises, []);
}

export async function close_page(page) {
  assert_no_troubles(page);
  await page.context().close();
}

/// Types and sends; returns when the answer's article is there.
export async function send(page, text) {
  const before = await page.locator("article.assistant").count();
  await page.fill("#message", text);
  await page.keyboard.press("Enter");
  await page.waitForFunction((count) => document.querySelectorAll("article.assistant").length > count, before);
}

/// Waits until nothing is being written; the last answer's text.
export async function finished_answer(page, timeout = 60000) {
  await page.waitForSelector("#send-button", { timeout });
  await page.waitForSelector("article.assistant:last-of-type:not([aria-busy])", { timeout });
  return answer_text(page);
}

export const answer_text = (page) =>
  page.locator("article.assistant").last().locator(".prose").innerText().then((text) => text.trim());

/// Waits until the last answer shows so many words.
export async function wait_for_words(page, count, timeout = 30000) {
  await page.waitForFunction((wanted) => {
    const prose = Array.from(document.querySelectorAll("article.assistant .prose")).at(-1);
    return prose && prose.innerText.split(/\s+/).filter(Boolean).length >= wanted;
  }, count, { timeout });
}

/// The answer of "[long N]".
export const counted_words = (count) => Array.from({ length: count }, (_, i) => `word${i + 1}`).join(" ");
