// Settings and presets in a browser: with axe in every state, by keyboard, without script.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { checker, kLooks } from "./accessibility.mjs";
import { close_page, finished_answer, launch, open_page, send } from "./browser.mjs";
import { real_model, start_program } from "./program.mjs";

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

const save = (page) => page.click("form.settings > button.primary, form.settings .ways .primary");

for (const { colorScheme, width, what } of kLooks) {
  test(`axe: ${what}`, async () => {
    const page = await open_page(browser, `${program.url}/settings`, { colorScheme, viewport: { width, height: 800 } });
    page.expected.push("400");
    const check = checker(page, what);
    await check("settings");
    await page.fill("#temperature", "9");
    await page.fill("#top_k", "many");
    await save(page);
    await page.waitForSelector("[role=alert] li");
    await check("refused");
    await page.fill("#temperature", "");
    await page.fill("#top_k", "");
    await page.fill("#preset", `${what} with a rather long name`);
    await page.click("text=Keep these values as a preset");
    await page.waitForSelector(".model-list li");
    await check("preset");
    await page.click("a:has-text('Edit')");
    await page.waitForSelector("text=Save the preset");
    await check("editing a preset");
    await page.goto(program.url);
    await send(page, "hello");
    await finished_answer(page);
    await page.goto(`${page.url()}/settings`);
    await check("settings of a chat");
    await close_page(page);
  });
}

for (const javaScriptEnabled of [true, false]) {
  test(`quiet mode: ticked, kept, taken back, ${javaScriptEnabled ? "with" : "without"} script`, async () => {
    const page = await open_page(browser, `${program.url}/settings`, { javaScriptEnabled });
    const tick = page.getByLabel("Quiet mode");
    for (const ticked of [true, false]) {
      assert.equal(await tick.isChecked(), !ticked);
      await page.focus("[name=quiet]");
      await page.keyboard.press("Space");
      await save(page);
      await page.waitForSelector("[role=status] >> text=Saved.");
      assert.equal(await tick.isChecked(), ticked);
      await page.goto(program.url);
      await page.goto(`${program.url}/settings`);
      assert.equal(await tick.isChecked(), ticked, "it is kept");
    }
    await close_page(page);
  });
}

test("what is wrong is said beside the field, and what was typed stays", async () => {
  const page = await open_page(browser, `${program.url}/settings`);
  page.expected.push("400");
  await page.fill("#system_prompt", "Only\ntyped.");
  await page.fill("#temperature", "2,5");
  await page.keyboard.press("Enter");
  await page.waitForSelector("[role=alert]");
  assert.match(await page.innerText("#error-temperature"), /Temperature is “2,5”; it must be a number from 0 to 2/);
  assert.equal(await page.inputValue("#temperature"), "2,5");
  assert.equal(await page.inputValue("#system_prompt"), "Only\ntyped.");
  assert.equal(await page.getAttribute("#temperature", "aria-invalid"), "true");
  assert.match(await page.getAttribute("#temperature", "aria-describedby"), /error-temperature/);
  await page.click("[role=alert] a");
  assert.equal(await page.evaluate(() => document.activeElement.id || location.hash.slice(1)), "temperature");
  await page.goto(`${program.url}/settings`);
  assert.equal(await page.inputValue("#system_prompt"), "", "nothing was saved");
  await close_page(page);
});

test("every value of the form is kept, and each is refused where it can’t be used", async (t) => {
  const own = await start_program();
  t.after(() => own.stop());
  const page = await open_page(browser, `${own.url}/settings`);
  page.expected.push("400");
  const kGood = { system_prompt: "Be brief.", temperature: "0.7", top_p: "0.9", top_k: "40", min_p: "0.05", repeat_penalty: "1.1",
    max_tokens: "500", thinking_budget: "300", context_size: "2048" };
  const kBad = { temperature: "2.1", top_p: "0", top_k: "-1", min_p: "1.5", repeat_penalty: "0", max_tokens: "0", thinking_budget: "few", context_size: "3" };
  const fill = async (values) => { for (const [name, value] of Object.entries(values)) await page.fill(`#${name}`, value); };
  const kept = () => page.evaluate((names) => Object.fromEntries(names.map((name) => [name, document.getElementById(name).value])), Object.keys(kGood));
  await fill(kGood);
  await save(page);
  await page.waitForSelector("[role=status] >> text=Saved");
  assert.deepEqual(await kept(), kGood);
  await fill(kBad);
  await save(page);
  await page.waitForSelector("[role=alert]");
  assert.deepEqual(await page.$$eval(".wrong", (all) => all.map((node) => node.id.replace("error-", ""))), Object.keys(kBad));
  await page.goto(`${own.url}/settings`);
  assert.deepEqual(await kept(), kGood, "nothing of it was saved");
  await page.goto(own.url);
  await send(page, "hello");
  await finished_answer(page);
  await page.goto(`${page.url()}/settings`);
  assert.deepEqual(await kept(), kGood, "a chat begins with them");
  await close_page(page);
});

test("the real model answers the same in quiet mode", { skip: !real_model() && "no model" }, async (t) => {
  const real = await start_program({ args: ["-m", real_model(), "--background", "off"] });
  t.after(() => real.stop());
  const page = await open_page(browser, `${real.url}/settings`);
  const answer = async (quiet) => {
    await page.goto(`${real.url}/settings`);
    await page.fill("#temperature", "0");
    await page.setChecked("input[name=quiet]", quiet);
    await save(page);
    await page.waitForSelector("[role=status] >> text=Saved");
    await page.goto(real.url);
    await send(page, "What is the capital of France?");
    return finished_answer(page);
  };
  const loud = await answer(false);
  assert.match(loud, /Paris/);
  assert.equal(await answer(true), loud);
  await close_page(page);
});

test("colours: saved, followed by the switch, and by the next browser", async () => {
  const own = await start_program();
  const page = await open_page(browser, `${own.url}/settings`, { colorScheme: "light" });
  await page.check("input[value=dark]");
  await save(page);
  await page.waitForSelector("[role=status] >> text=Saved");
  assert.equal(await page.getAttribute("html", "data-theme"), "dark");
  const other = await open_page(browser, own.url, { colorScheme: "light" });
  assert.equal(await other.getAttribute("html", "data-theme"), "dark");
  const told = other.waitForResponse("**/settings/theme");
  await other.click("#theme-toggle");
  assert.equal((await told).status(), 204);
  await other.goto(`${own.url}/settings`);
  assert.ok(await other.isChecked("input[value=system]"));
  await close_page(other);
  await close_page(page);
  await own.stop();
});

for (const javaScriptEnabled of [true, false]) {
  test(`presets, from making one to deleting it, ${javaScriptEnabled ? "with" : "without"} script`, async () => {
    const own = await start_program();
    const page = await open_page(browser, `${own.url}/settings`, { javaScriptEnabled });
    page.expected.push("400");
    await page.fill("#temperature", "1.5");
    await page.fill("#system_prompt", "Rhyme.");
    await page.fill("#preset", "Poet");
    await page.click("text=Keep these values as a preset");
    await page.waitForSelector("text=The preset is kept");
    assert.match(await page.innerText(".model-list"), /Poet\s+Temperature 1.5 · System prompt: “Rhyme.”/);
    assert.equal(await page.inputValue("#temperature"), "", "the values of new chats are others");
    await page.fill("#preset", "Poet");
    await page.click("text=Keep these values as a preset");
    await page.waitForSelector("#error-preset");
    assert.match(await page.innerText("#error-preset"), /already/);
    await page.goto(`${own.url}/settings`);
    await page.click("text=Edit");
    assert.equal(await page.inputValue("#temperature"), "1.5");
    await page.fill("#temperature", "1.2");
    await save(page);
    await page.waitForSelector("text=Temperature 1.2");
    await page.click("text=Use for new chats");
    await page.waitForSelector("text=New chats begin with the preset “Poet”");
    await page.goto(own.url);
    await page.fill("#message", "hello");
    await page.click("#send-button", { noWaitAfter: true });
    await page.waitForURL(/\/chat\//);
    await page.waitForSelector("article.assistant .tools-row");
    await page.goto(`${page.url().replace(/\?.*/, "")}/settings`);
    assert.equal(await page.inputValue("#system_prompt"), "Rhyme.");
    assert.match(await page.innerText("main"), /the values of the preset “Poet”/);
    await page.fill("#top_p", "0.5");
    await save(page);
    await page.waitForSelector("text=values of its own");
    await page.selectOption("#take", "Poet");
    await page.click("text=Take them");
    await page.waitForSelector("text=the values of the preset “Poet”");
    await page.goto(`${own.url}/settings`);
    await page.fill(".renaming .field", "Bard");
    await page.click(".renaming button");
    await page.waitForSelector("text=New chats begin with the preset “Bard”");
    await page.click(".model-list >> text=Delete");
    await page.waitForSelector("text=The preset is deleted");
    assert.equal(await page.locator(".model-list li").count(), 0);
    await close_page(page);
    await own.stop();
  });
}

test("the menu of a chat leads to its settings, by keyboard alone", async () => {
  const page = await open_page(browser, program.url);
  await send(page, "hello");
  await finished_answer(page);
  await page.focus("[popovertarget=chat-menu]");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#chat-menu:popover-open");
  await page.focus("text=Settings of this chat");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#system_prompt");
  await page.focus("#max_tokens");
  await page.keyboard.type("3");
  await page.keyboard.press("Enter");
  await page.waitForSelector("[role=status] >> text=Saved");
  await page.keyboard.press("Tab");
  await page.click("text=Back to the chat");
  await send(page, "again");
  await page.waitForSelector("text=Continue");
  assert.match(await page.locator("article.assistant").last().innerText(), /I am a/, "cut after three tokens");
  await close_page(page);
});

test("system prompt and limit of tokens reach the real model", { skip: !real_model() && "no model" }, async (t) => {
  const real = await start_program({ args: ["-m", real_model()] });
  t.after(() => real.stop());
  const page = await open_page(browser, real.url);
  const question = "What is the capital of France?";
  await send(page, question);
  assert.match(await finished_answer(page), /Paris/);
  const prompt_tokens = async () => {
    await page.locator(".stat summary").last().click();
    return Number((await page.locator(".stat").last().locator("xpath=.//dt[.='Prompt']/following-sibling::dd[1]").innerText()).match(/^[\d,]+/)[0]);
  };
  const short = await prompt_tokens();
  await page.goto(`${real.url}/settings`);
  await page.fill("#system_prompt", "Be brief. ".repeat(30));
  await page.fill("#max_tokens", "3");
  await save(page);
  await page.waitForSelector("[role=status] >> text=Saved");
  await page.goto(real.url);
  await send(page, question);
  assert.equal(await page.waitForSelector("text=Continue").then(() => finished_answer(page)), "The capital of");
  assert.ok(await prompt_tokens() > short + 60, "the system prompt was read");
  await close_page(page);
});
