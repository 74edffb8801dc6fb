// Times of messages, answers that get ready unseen, right-to-left text, paper, and pages in all sizes of text and window.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { assert_accessible, assert_fits } from "./accessibility.mjs";
import { close_page, finished_answer, launch, open_page, send } from "./browser.mjs";
import { import_long_chat } from "./long_chat.mjs";
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

test("every message has its time: brief to see, exact on hover and for screen readers", async () => {
  const page = await open_page(browser, await import_long_chat(program.url, 4));
  await send(page, "now");
  await finished_answer(page);
  const times = await page.locator("time.when").evaluateAll((all) => all.map((node) => ({ iso: node.dateTime, title: node.title,
    read: node.querySelector(".visually-hidden").textContent, seen: node.querySelector("[aria-hidden]").textContent })));
  assert.equal(times.length, 6);
  for (const { iso, title, read } of times) {
    assert.match(iso, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.match(title, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
    assert.equal(read, title);
  }
  assert.match(times.at(-1).seen, /^\d\d:\d\d$/);
  assert.ok(Math.abs(Date.parse(times.at(-1).iso) - Date.now()) < 60000);
  await close_page(page);
});

test("an answer that gets ready unseen stands in the title, and is notified of where that was asked for", async () => {
  const page = await open_page(browser, program.url, { permissions: ["notifications"] });
  await page.addInitScript(() => {
    globalThis.notified = [];
    globalThis.Notification = class {
      static permission = "granted";
      static async requestPermission() { return "granted"; }
      constructor(title, { body }) { globalThis.notified.push([title, body]); }
    };
    globalThis.hide = (yes) => {
      Object.defineProperty(document, "hidden", { configurable: true, value: yes });
      document.dispatchEvent(new Event("visibilitychange"));
    };
  });
  await send(page, "first");
  await finished_answer(page);
  const answered = async (text) => {
    await send(page, `${text} [slow]`);
    await page.evaluate(() => globalThis.hide(true));
    await finished_answer(page);
    await page.waitForFunction(() => document.title.startsWith("(ready) "));
  };
  await answered("second");
  assert.deepEqual(await page.evaluate(() => globalThis.notified), [], "nobody asked for it");
  await page.evaluate(() => globalThis.hide(false));
  assert.doesNotMatch(await page.title(), /ready/);
  await page.click("[popovertarget=chat-menu]");
  await page.check("#notify");
  await assert_accessible(page, "the chat's menu");
  await page.keyboard.press("Escape");
  await answered("third");
  const notified = await page.evaluate(() => globalThis.notified);
  assert.equal(notified.length, 1);
  assert.match(notified[0][0], /^Answer ready/);
  await page.reload();
  await page.click("[popovertarget=chat-menu]");
  assert.ok(await page.isChecked("#notify"), "it stays");
  await close_page(page);
});

const kArabic = "مرحبا بالعالم، هذا نص عربي.";
const kHebrew = "שלום עולם";

test("right-to-left text stands on its side, block by block", async () => {
  const page = await open_page(browser, program.url);
  await send(page, `${kArabic}\nand English [echo]\n\n${kArabic}\n\nAn English paragraph.\n\n- ${kHebrew}\n- ${kHebrew}\n\n> ${kArabic}\n\n## ${kHebrew}`);
  await finished_answer(page);
  const sides = await page.evaluate(() => Array.from(document.querySelectorAll(".prose p, .prose ul, .prose h3"), (node) =>
    `${node.localName} ${getComputedStyle(node).direction}`));
  assert.ok(["p rtl", "p ltr", "ul rtl", "h3 rtl"].every((side) => sides.includes(side)), sides.join());
  assert.equal(await page.evaluate(() => getComputedStyle(document.querySelector(".prose blockquote")).direction), "rtl");
  const said = await page.evaluate(() => {
    const node = document.querySelector(".user .said");
    const range = document.createRange();
    const [begin, end] = [node.textContent.indexOf("An English"), node.textContent.indexOf("An English") + 10];
    range.setStart(node.firstChild, begin);
    range.setEnd(node.firstChild, end);
    const box = node.getBoundingClientRect();
    return { left: range.getBoundingClientRect().left - box.left, width: box.width };
  });
  assert.ok(said.left < said.width / 4, "an English paragraph of the same message begins at the left");
  await page.fill("#message", kArabic);
  assert.equal(await page.evaluate(() => getComputedStyle(document.getElementById("message")).direction), "rtl");
  await assert_accessible(page, "right to left");
  await close_page(page);
});

test("on paper there is the conversation and nothing else, dark on white", async () => {
  const page = await open_page(browser, await import_long_chat(program.url, 30), { colorScheme: "dark" });
  await page.emulateMedia({ media: "print", colorScheme: "dark" });
  const seen = await page.evaluate(() => {
    const shown = (query) => Array.from(document.querySelectorAll(query)).filter((node) => node.checkVisibility()).length;
    return { controls: shown("button, .dock, .sidebar, form, .tools-row, .pages"), messages: shown("[data-message]"),
      ground: getComputedStyle(document.body).backgroundColor, text: getComputedStyle(document.body).color,
      cut: Array.from(document.querySelectorAll("pre, .scroll, main")).filter((node) => /auto|scroll|hidden/.test(getComputedStyle(node).overflowY)).length };
  });
  assert.equal(seen.controls, 0);
  assert.ok(seen.messages >= 20);
  assert.deepEqual([seen.ground, seen.text, seen.cut], ["rgb(255, 255, 255)", "rgb(0, 0, 0)", 0]);
  await close_page(page);
});

/// Text that is cut off, and controls that lie on one another.
function faults() {
  const cut = Array.from(document.querySelectorAll("main *, .sidebar *")).filter((node) => {
    if (!node.checkVisibility({ contentVisibilityAuto: true }) || node.closest("svg, math, .visually-hidden, textarea")) return false;
    const style = getComputedStyle(node);
    const hides = /hidden|clip/.test(style.overflowX) && style.textOverflow !== "ellipsis";
    return hides && node.clientWidth > 1 && (node.scrollWidth > node.clientWidth + 1 || node.scrollHeight > node.clientHeight + 1);
  });
  const controls = Array.from(document.querySelectorAll("main button, main a.button, main .icon, main summary, main select, main textarea, main .switch"))
    .filter((node) => node.checkVisibility({ contentVisibilityAuto: true }) && !node.closest(":popover-open, .visually-hidden") && node.id !== "jump");
  const boxes = controls.map((node) => [node, node.getBoundingClientRect(), node.closest("#scroll")]);
  const over = boxes.flatMap(([a, box_a, in_a], i) => boxes.slice(i + 1).filter(([b, box_b, in_b]) => in_a === in_b && !a.contains(b) && !b.contains(a) &&
    Math.min(box_a.right, box_b.right) - Math.max(box_a.left, box_b.left) > 2 && Math.min(box_a.bottom, box_b.bottom) - Math.max(box_a.top, box_b.top) > 2)
    .map(([b]) => `${a.outerHTML.slice(0, 60)} on ${b.outerHTML.slice(0, 60)}`));
  return [...cut.map((node) => `cut off: ${node.outerHTML.slice(0, 100)}`), ...over];
}

// Text of twice the size is what a person sets in the browser: everything here is measured in it, queries of the window too.
for (const [what, viewport, large] of [["320 px", { width: 320, height: 640 }], ["400 % zoom", { width: 320, height: 256 }],
  ["200 % text", { width: 1280, height: 1024 }, true], ["200 % text on a phone", { width: 390, height: 844 }, true]]) {
  test(`nothing is cut off and nothing overlaps: ${what}`, async (t) => {
    const own = large ? await launch(["--blink-settings=defaultFontSize=32,defaultFixedFontSize=26"]) : browser;
    if (large) t.after(() => own.close());
    const page = await open_page(own, program.url, { viewport });
    assert.equal(await page.evaluate(() => getComputedStyle(document.body).fontSize), large ? "32px" : "16px");
    const check = async (state) => {
      await page.waitForTimeout(150);
      await assert_fits(page, `${state}, ${what}`);
      assert.deepEqual(await page.evaluate(faults), [], `${state}, ${what}`);
    };
    await check("empty");
    await send(page, "[think] [markdown]");
    await finished_answer(page);
    const room = await page.evaluate(() => {
      const box = document.getElementById("scroll");
      return getComputedStyle(box).overflowY === "visible" ? Infinity : box.clientHeight;
    });
    assert.ok(room >= 150, `${room} px for the conversation`);
    await page.evaluate(() => { for (const part of document.querySelectorAll("main details:not(.danger)")) part.open = true; });
    await check("answered");
    await page.locator(".edit-link").first().click();
    await page.waitForSelector(".edit textarea");
    await check("editing");
    for (const path of ["/models", "/tools", "/archive", "/chats", "/search?q=markdown", "/chat/nowhere"]) {
      page.expected.push("404");
      await page.goto(program.url + path);
      await check(path);
    }
    await close_page(page);
  });
}
