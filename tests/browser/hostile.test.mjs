// Titles, messages and answers are hostile text: nothing of them runs, loads or opens anything.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { close_page, finished_answer, launch, open_page, send } from "./browser.mjs";
import { start_program } from "./program.mjs";

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

const kHostile = "<img src=x onerror='window.pwned=9'><script>window.pwned=8</script>" +
  "<div hx-get='/livez' hx-trigger='load'>x</div></div></main><hx-partial hx-target='#pill'>y</hx-partial>";

async function assert_harmless(page) {
  const found = await page.evaluate(() => ({
    pwned: globalThis.pwned,
    images: document.querySelectorAll("#messages img, #messages iframe, #messages object, #messages video").length,
    scripts: document.querySelectorAll("body script").length,
    handlers: Array.from(document.querySelectorAll("#messages *, #sidebar *, h1")).flatMap((node) =>
      node.getAttributeNames().filter((name) => /^(on|style$)/.test(name))),
    prose: Array.from(document.querySelectorAll(".prose *")).flatMap((node) =>
      node.getAttributeNames().filter((name) => /^(hx-|data-hx|id$|form|action)/.test(name) && !/^(done|tail)-/.test(node.id))),
    links: Array.from(document.querySelectorAll(".prose a")).map((link) => [link.protocol, link.rel]),
  }));
  assert.equal(found.pwned, undefined);
  assert.equal(found.images, 0);
  assert.equal(found.scripts, 0);
  assert.deepEqual(found.handlers, []);
  assert.deepEqual(found.prose, []);
  for (const [protocol, rel] of found.links) {
    assert.match(protocol, /^(https?|mailto):$/);
    assert.equal(rel, "noopener noreferrer nofollow");
  }
  return found;
}

test("a hostile answer, as it streams and as stored", async () => {
  const page = await open_page(browser, program.url);
  await send(page, "[hostile] [slow]");
  await page.waitForFunction(() => /boo/.test(document.querySelector(".prose")?.innerText));
  await assert_harmless(page);
  const text = await finished_answer(page);
  assert.match(text, /<script>window\.pwned = 1<\/script>/);
  const found = await assert_harmless(page);
  assert.ok(found.links.length > 0, "the image became a link");
  await page.reload();
  await assert_harmless(page);
  assert.match(await page.innerText(".prose"), /<script>window\.pwned = 1<\/script>/);
  await close_page(page);
});

test("a hostile message, echoed, and a hostile title", async () => {
  const page = await open_page(browser, program.url);
  await send(page, `[echo] ${kHostile}`);
  await finished_answer(page);
  await assert_harmless(page);
  assert.equal(await page.innerText(".user .said"), `[echo] ${kHostile}`);
  await page.click("[popovertarget=chat-menu]");
  await page.fill("#new-title", kHostile.slice(0, 190));
  await page.click("#chat-menu button:has-text('Rename')");
  await page.waitForFunction((title) => document.querySelector("h1").textContent === title, kHostile.slice(0, 190));
  await assert_harmless(page);
  assert.equal(await page.inputValue("#new-title"), kHostile.slice(0, 190));
  await close_page(page);
});

test("the page refuses to run injected script", async () => {
  const page = await open_page(browser, program.url);
  page.expected.push("Content Security Policy");
  await page.evaluate(() => {
    const script = document.createElement("script");
    script.textContent = "window.pwned = 1";
    document.body.append(script);
    document.body.insertAdjacentHTML("beforeend", "<p onclick='window.pwned=2' style='color:red' id='bait'>x</p>");
    document.getElementById("bait").click();
  });
  assert.equal(await page.evaluate(() => globalThis.pwned), undefined);
  assert.ok(page.troubles.length >= 2);
  await close_page(page);
});
