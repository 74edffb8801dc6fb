// Temporary chats: used as any other, stored nowhere, with script and without.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { assert_accessible } from "./accessibility.mjs";
import { answer_text, close_page, finished_answer, launch, open_page, send } from "./browser.mjs";
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

/// Files of work in progress come and go.
function bytes_of(path) {
  try {
    return readFileSync(path).toString("latin1");
  } catch (error) {
    if (error.code === "ENOENT") return "";
    throw error;
  }
}

const stored_bytes = () => readdirSync(program.folder, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => bytes_of(join(entry.parentPath, entry.name)))
  .join("\n");

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? "with script" : "without script";

  test(`nothing of a temporary chat is stored: ${how}`, async () => {
    const secret = javaScriptEnabled ? "xylophone" : "harmonium";
    const page = await open_page(browser, program.url, { javaScriptEnabled });
    await page.click('a[href="/?temporary=1"]');
    await page.waitForSelector(".banner:has-text('Temporary chat')");
    await page.fill("#message", `[echo] ${secret} one`);
    await page.click("#send-button", { noWaitAfter: true });
    await page.waitForURL(/\/chat\//);
    await page.waitForSelector("#send-button");
    await page.goto(page.url().replace(/\?.*/, ""));
    assert.match(await answer_text(page), new RegExp(`${secret} one`), "it is there as any other");
    assert.equal(await page.locator(".banner:has-text('Temporary chat')").count(), 1);
    if (javaScriptEnabled) {
      await send(page, `[echo] ${secret} two`);
      await finished_answer(page);
      await page.fill("#message", `${secret} three`);
      await page.waitForTimeout(300);
      assert.ok(!(await page.evaluate(() => JSON.stringify(localStorage))).includes(secret), "nor by the browser");
      await assert_accessible(page, "temporary chat");
    }
    assert.equal(await page.locator("#history a").count(), 0, "it is not listed");
    await page.goto(`${program.url}/search?q=${secret}`);
    assert.match(await page.textContent("#content"), /Nothing found/);
    const everything = await (await page.request.get(`${program.url}/archive/export?format=json`)).text();
    assert.ok(!everything.includes(secret));
    assert.ok(!stored_bytes().includes(secret), "no byte of the data folder has it");
    await close_page(page);
  });
}

test("what is no temporary chat is stored", async () => {
  const page = await open_page(browser, program.url);
  await send(page, "[echo] glockenspiel");
  await finished_answer(page);
  assert.ok(stored_bytes().includes("glockenspiel"), "the test above can fail");
  await close_page(page);
});
