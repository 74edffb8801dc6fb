// The page in other languages, and as an installed app: what it says while the server is away, and what it keeps.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { assert_accessible } from "./accessibility.mjs";
import { close_page, counted_words, finished_answer, launch, open_page, send } from "./browser.mjs";
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

test("a German browser gets a German page, script included", async () => {
  const page = await open_page(browser, program.url, { locale: "de-DE" });
  assert.equal(await page.getAttribute("html", "lang"), "de");
  await send(page, "hallo");
  await finished_answer(page);
  await page.waitForFunction(() => document.getElementById("announcer").textContent.startsWith("Antwort fertig, "));
  assert.equal(await page.textContent("#send-button"), "Senden");
  assert.match(await page.textContent("article.assistant .stat summary"), /^\d+ Token · \d+,\d Token\/s/);
  assert.equal(await page.getAttribute("#theme-toggle", "aria-label"), "Farben: wie das System");
  await close_page(page);
});

test("what stands beside code and tables is in the reader’s language: while it is written, stored, without script", async () => {
  const labels = (page) => page.evaluate(() => [document.querySelector(".prose .copy").textContent, ...["pre", ".table", ".task span"]
    .flatMap((what) => Array.from(document.querySelectorAll(`.prose ${what}`), (node) => node.getAttribute("aria-label")))]);
  const kGerman = ["Kopieren", "Code, c", "Tabelle", "Offen", "Erledigt"];
  const kEnglish = ["Copy", "Code, c", "Table", "To do", "Done"];
  const kText = "[echo] [slow]\n\n```c\nint x;\n```\n\n|a|b|\n|-|-|\n|c|d|\n\n- [ ] one\n- [x] two\n\n" + counted_words(2000);
  const german = await open_page(browser, program.url, { locale: "de-DE" });
  await send(german, kText);
  await german.waitForURL(/\/chat\//);
  const english = await open_page(browser, german.url());
  for (const page of [german, english]) await page.waitForSelector("[aria-busy] .prose .task:nth-of-type(2)");
  assert.deepEqual(await labels(german), kGerman);
  assert.deepEqual(await labels(english), kEnglish);
  await german.click("#stop-button");
  for (const page of [german, english]) await finished_answer(page);
  assert.deepEqual(await labels(german), kGerman);
  assert.deepEqual(await labels(english), kEnglish);
  const plain = await open_page(browser, german.url(), { locale: "de-DE", javaScriptEnabled: false });
  await plain.waitForSelector(".prose .task");
  assert.deepEqual(await labels(plain), kGerman);
  for (const page of [plain, english, german]) await close_page(page);
});

test("what goes wrong is said in German too, its values included", async () => {
  const page = await open_page(browser, `${program.url}/settings`, { locale: "de-DE" });
  page.expected.push("400", "413");
  await page.fill("#temperature", "9");
  await page.click("form.settings > button.primary");
  await page.waitForSelector("[role=alert]");
  assert.equal(await page.innerText("#error-temperature"), "Temperatur ist „9“; möglich ist eine Zahl von 0 bis 2.");
  await page.goto(program.url);
  await page.fill("#message", "/frob");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#alert [data-refused]");
  assert.match(await page.innerText("#alert"), /^Es gibt keinen Befehl \/frob: \/help zählt alle auf\./);
  await page.fill("#message", "x".repeat(300000));
  await page.keyboard.press("Enter");
  await page.waitForSelector("#alert p:has-text('Die Nachricht hat')");
  assert.match(await page.innerText("#alert"), /^Die Nachricht hat 300000 Bytes; höchstens 262144 sind erlaubt: Schicke sie in Teilen\.$/);
  await close_page(page);
});

test("a language that is chosen stays, without script too", async () => {
  for (const javaScriptEnabled of [true, false]) {
    const page = await open_page(browser, program.url, { javaScriptEnabled });
    assert.equal(await page.textContent("#send-button"), "Send");
    await page.click('.languages button[lang="de"]');
    await page.waitForSelector('html[lang="de"]');
    await page.goto(`${program.url}/models`);
    assert.equal(await page.textContent("h1"), "Modelle");
    await close_page(page);
  }
});

test("the manifest and its icons are there", async () => {
  const page = await open_page(browser, program.url);
  const manifest = await (await page.request.get(`${program.url}/manifest.webmanifest`)).json();
  assert.equal(manifest.start_url, "/");
  assert.ok(manifest.icons.some((icon) => icon.sizes === "512x512" && icon.purpose === "maskable"));
  for (const icon of manifest.icons) {
    const response = await page.request.get(program.url + icon.src);
    assert.equal(response.headers()["content-type"], icon.type);
    if (icon.sizes === "any") continue;
    const size = (await response.body()).readUInt32BE(16);
    assert.equal(`${size}x${size}`, icon.sizes);
  }
  await close_page(page);
});

test("while the server is away, the app says so and has kept nothing of a chat", async () => {
  const own = await start_program();
  const context = await browser.newContext();
  const page = await open_page(browser, own.url, { context });
  await page.evaluate(() => navigator.serviceWorker.ready.then((registration) =>
    registration.active.state === "activated" ||
    new Promise((resolve) => registration.active.addEventListener("statechange", resolve))));
  await send(page, "my secret is xylophone");
  await finished_answer(page);
  const chat = page.url();
  await page.goto(chat);
  const kept = await page.evaluate(async () => {
    const urls = [];
    const texts = [];
    for (const name of await caches.keys()) {
      const cache = await caches.open(name);
      for (const request of await cache.keys()) {
        urls.push(request.url);
        texts.push(await (await cache.match(request)).text());
      }
    }
    return { urls, text: texts.join("\n") };
  });
  assert.ok(kept.urls.some((url) => url.endsWith("/offline")), "the shell is kept");
  assert.deepEqual(kept.urls.filter((url) => !/\/(offline|assets\/[^/]+)$/.test(url)), [], "and nothing else");
  assert.ok(!kept.text.includes("xylophone"));
  await own.stop();
  page.expected.push("ERR_CONNECTION_REFUSED", "Failed to fetch", "net::");
  await page.goto(chat);
  await page.waitForSelector(".banner.error");
  assert.equal(page.url(), chat);
  assert.equal(await page.textContent("h1"), "The server is away");
  await assert_accessible(page, "offline");
  await close_page(page);
});
