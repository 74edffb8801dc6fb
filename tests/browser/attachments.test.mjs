// Files of messages: chosen, dropped, pasted, removed, sent, opened; with script and without.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { assert_accessible, assert_fits, kLooks } from "./accessibility.mjs";
import { answer_text, assert_no_troubles, close_page, finished_answer, launch, open_page, send } from "./browser.mjs";
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

const text_file = (name, content) => ({ name, mimeType: "text/plain", buffer: Buffer.from(content) });
const chips = (page) => page.locator("#files li:not(.coming) .file-name").allInnerTexts();
const wait_chips = (page, count) =>
  page.waitForFunction((n) => document.querySelectorAll("#files li:not(.coming)").length === n, count);

/// Gives an element files in an event, as a drop or a paste does.
const give = (page, selector, type, files) => page.evaluate(([where, kind, given]) => {
  const transfer = new DataTransfer();
  for (const [name, content] of given) transfer.items.add(new File([content], name));
  const options = { bubbles: true, cancelable: true };
  const event = kind === "paste" ? new ClipboardEvent(kind, { ...options, clipboardData: transfer })
    : new DragEvent(kind, { ...options, dataTransfer: transfer });
  document.querySelector(where).dispatchEvent(event);
}, [selector, type, files]);

test("a file is chosen, survives a reload, goes with the first message and is told to the model", async () => {
  const page = await open_page(browser, program.url);
  await page.setInputFiles("#file-input", [text_file("notes.txt", "The code word is xylophone."), text_file("b.c", "int x;")]);
  await wait_chips(page, 2);
  assert.match(await page.locator("#announcer").innerText(), /(notes\.txt|b\.c) is attached/);
  await page.reload();
  assert.deepEqual((await chips(page)).sort(), ["b.c", "notes.txt"]);
  await page.click("[aria-label='Remove b.c']");
  await wait_chips(page, 1);
  assert.equal(await page.locator("#announcer").innerText(), "b.c was removed");
  assert.equal(await page.evaluate(() => document.activeElement.id), "message");
  await page.fill("#message", "What is the code word?");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/chat\//);
  const answer = await finished_answer(page);
  assert.match(answer, /\[File "notes\.txt"\]/);
  assert.match(answer, /The code word is xylophone\./);
  assert.deepEqual(await chips(page), []);
  assert.equal(await page.locator(".user .said").innerText(), "What is the code word?");
  const saved = page.waitForEvent("download");
  await page.click(".user .files a");
  assert.equal((await saved).suggestedFilename(), "notes.txt");
  await page.goto(program.url);
  assert.deepEqual(await chips(page), [], "the next conversation has none");
  await close_page(page);
});

test("dropped and pasted files; text that is pasted stays text", async () => {
  const page = await open_page(browser, program.url);
  await send(page, "first");
  await finished_answer(page);
  await give(page, "main", "dragover", [["a.txt", "a"]]);
  assert.equal(await page.locator(".composer.dropping").count(), 1);
  await give(page, "#messages", "drop", [["a.txt", "a"], ["b.md", "b"]]);
  await wait_chips(page, 2);
  assert.equal(await page.locator(".composer.dropping").count(), 0);
  await give(page, "#message", "paste", [["pasted.py", "print(1)"]]);
  await wait_chips(page, 3);
  await send(page, "second");
  await finished_answer(page);
  assert.equal(await page.locator(".user").last().locator(".files li").count(), 3);
  assert.deepEqual(await chips(page), []);
  await close_page(page);
});

test("what can't be attached says why and leaves the rest", async () => {
  const page = await open_page(browser, program.url);
  await send(page, "first");
  await finished_answer(page);
  page.expected.push("400");
  await page.setInputFiles("#file-input", [{ name: "cat.png", mimeType: "image/png", buffer: Buffer.from([137, 80, 78, 71, 0, 1]) }]);
  await page.waitForSelector("#alert p");
  assert.match(await page.locator("#alert").innerText(), /"cat\.png" was not attached: it is neither text nor a PDF/);
  assert.equal(await page.locator("#files li").count(), 0);
  await page.setInputFiles("#file-input", Array.from({ length: 11 }, (_, i) => text_file(`${i}.txt`, "x")));
  await wait_chips(page, 10);
  assert.match(await page.locator("#alert").innerText(), /at most 10 files/);
  await close_page(page);
});

test("a failed send keeps the files, and sending again takes them", async () => {
  const page = await open_page(browser, program.url);
  await send(page, "first");
  await finished_answer(page);
  await page.setInputFiles("#file-input", [text_file("kept.txt", "kept content")]);
  await wait_chips(page, 1);
  page.expected.push("ERR_FAILED", "htmx");
  await page.route("**/messages", (route) => route.abort());
  await page.fill("#message", "look");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".user.failed");
  assert.deepEqual(await chips(page), ["kept.txt"]);
  await page.unroute("**/messages");
  await page.click(".user.failed button");
  await page.waitForFunction(() => document.querySelectorAll("article.assistant").length === 2);
  assert.match(await finished_answer(page), /kept content/);
  assert.deepEqual(await chips(page), []);
  await close_page(page);
});

test("a message is not sent while a file is on its way", async () => {
  const page = await open_page(browser, program.url);
  await send(page, "first");
  await finished_answer(page);
  let go_on;
  await page.route("**/files", async (route) => {
    await new Promise((resolve) => { go_on = resolve; });
    await route.continue();
  });
  await page.setInputFiles("#file-input", [text_file("slow.txt", "slow")]);
  await page.waitForSelector("#files progress");
  await page.fill("#message", "too early");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#alert p");
  assert.match(await page.locator("#alert").innerText(), /still on its way/);
  await assert_accessible(page, "a file on its way");
  go_on();
  await wait_chips(page, 1);
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.querySelectorAll("article.assistant").length === 2);
  assert.match(await finished_answer(page), /slow/);
  await close_page(page);
});

test("a withdrawn message gives its files back", async () => {
  const page = await open_page(browser, program.url);
  await send(page, "[long 300] [slow]");
  await page.waitForSelector("#stop-button");
  await page.setInputFiles("#file-input", [text_file("later.txt", "later")]);
  await wait_chips(page, 1);
  await page.fill("#message", "waits");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#waiting li");
  assert.match(await page.locator("#waiting li").innerText(), /1 file/);
  assert.deepEqual(await chips(page), []);
  await page.click(".withdraw button");
  await wait_chips(page, 1);
  assert.equal(await page.inputValue("#message"), "waits");
  await page.click("#stop-button");
  await page.waitForSelector("#send-button");
  await close_page(page);
});

test("an edit keeps the files that are ticked", async () => {
  const page = await open_page(browser, program.url);
  await page.setInputFiles("#file-input", [text_file("one.txt", "content one"), text_file("two.txt", "content two")]);
  await wait_chips(page, 2);
  await page.fill("#message", "look");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/chat\//);
  await finished_answer(page);
  await page.click(".edit-link");
  await page.waitForSelector(".kept-files");
  await assert_accessible(page, "editing a message with files");
  await page.click(".kept-files label:has-text('two.txt')");
  await page.click(".edit .primary");
  await page.waitForFunction(() => document.querySelectorAll(".user .files li").length === 1);
  const answer = await finished_answer(page);
  assert.match(answer, /content one/);
  assert.doesNotMatch(answer, /content two/);
  await close_page(page);
});

test("a hostile name is only text, and a hostile file never runs here", async () => {
  const page = await open_page(browser, program.url);
  const name = "<img src=x onerror=document.title='owned'>\"' hx-get=x.svg";
  const svg = "<svg xmlns='http://www.w3.org/2000/svg'><script>document.title='owned'</script></svg>";
  await page.setInputFiles("#file-input", [
    { name, mimeType: "image/svg+xml", buffer: Buffer.from(svg) },
    { name: "page.html", mimeType: "text/html", buffer: Buffer.from("<script>document.title='owned'</script>") },
  ]);
  await wait_chips(page, 2);
  assert.ok((await chips(page)).some((shown) => shown.startsWith("<img src=x")));
  await page.fill("#message", "look");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/chat\//);
  await finished_answer(page);
  const links = await page.locator(".user .files a").evaluateAll((all) => all.map((link) => link.href));
  assert.equal(links.length, 2);
  for (const link of links) {
    const other = await page.context().newPage();
    const saved = other.waitForEvent("download");
    await other.goto(link).catch((error) => assert.match(String(error), /Download is starting|ERR_ABORTED/));
    await saved;
    assert.notEqual(await other.title(), "owned");
    const shown = await page.evaluate(async (address) => {
      const frame = document.createElement("iframe");
      frame.src = address;
      document.body.append(frame);
      await new Promise((resolve) => setTimeout(resolve, 300));
      frame.remove();
      return document.title;
    }, link);
    assert.doesNotMatch(shown, /owned/);
    await other.close();
  }
  page.expected.push("frame", "Content Security Policy");
  assert.equal(await page.locator(".log img").count(), 0);
  await close_page(page);
});

for (const { colorScheme, width, what } of [...kLooks, { colorScheme: "light", width: 320, what: "light, 320 px" }]) {
  test(`axe and width: ${what}`, async () => {
    const page = await open_page(browser, program.url, { colorScheme, viewport: { width, height: 800 } });
    const long = `${"a-rather-long-name-of-a-file-".repeat(4)}.txt`;
    await page.setInputFiles("#file-input", [text_file(long, "x"), text_file("b.txt", "y"), text_file("c.txt", "z")]);
    await wait_chips(page, 3);
    await assert_accessible(page, "files in the composer");
    await assert_fits(page, "files in the composer");
    await page.fill("#message", "look");
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/chat\//);
    await finished_answer(page);
    await assert_accessible(page, "files of a message");
    await assert_fits(page, "files of a message");
    await close_page(page);
  });
}

test("by keyboard alone: the picker and the buttons of files are reached", async () => {
  const page = await open_page(browser, program.url);
  await page.setInputFiles("#file-input", [text_file("a.txt", "x")]);
  await wait_chips(page, 1);
  await page.focus("#message");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.id), "file-input");
  await page.focus("#message");
  await page.keyboard.press("Shift+Tab");
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute("aria-label")), "Remove a.txt");
  await page.keyboard.press("Enter");
  await wait_chips(page, 0);
  await close_page(page);
});

test("without script: files come with the form, stay when they can't be sent, and are removed by a button", async () => {
  const page = await open_page(browser, program.url, { javaScriptEnabled: false });
  await page.setInputFiles("#file-input", [text_file("plain.txt", "plain content")]);
  await page.fill("#message", "look");
  await page.click("#send-button", { noWaitAfter: true });
  await page.waitForURL(/\/chat\//);
  await page.waitForSelector("#composer");
  await page.waitForLoadState("load");
  assert.match(await answer_text(page), /plain content/);
  assert.match(await page.locator(".user .files").innerText(), /plain\.txt/);

  page.expected.push("400");
  await page.setInputFiles("#file-input", [
    text_file("good.txt", "good"), { name: "bad.png", mimeType: "image/png", buffer: Buffer.from([137, 80, 78, 71, 0]) },
  ]);
  await page.fill("#message", "my words");
  await page.click("#send-button");
  await page.waitForSelector(".trouble");
  assert.match(await page.locator(".trouble").innerText(), /bad\.png/);
  assert.equal(await page.inputValue("#message"), "my words");
  await page.click(".trouble .ways a");
  await page.waitForSelector("#files li");
  assert.deepEqual(await chips(page), ["good.txt"]);
  await page.fill("#message", "a draft");
  await page.click("[aria-label='Remove good.txt']");
  await page.waitForFunction(() => true);
  await page.waitForSelector("#composer");
  assert.equal(await page.locator("#files li").count(), 0);
  assert.equal(await page.inputValue("#message"), "a draft");
  assert_no_troubles(page);
  await page.context().close();
});
