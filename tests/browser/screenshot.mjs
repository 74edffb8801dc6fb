// Takes the pictures of the documents from the running program, in a folder:
//   tests/browser/run.sh needs to have run once; then  node tests/browser/screenshot.mjs [docs/img] [--states]
// Without --states the README's two, with the real model; with it those of docs/ui_ux_interaction.md, with the scripted one.
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { finished_answer, launch, open_page, send, wait_for_words } from "./browser.mjs";
import { real_model, start_program } from "./program.mjs";

const folder = resolve(process.argv.slice(2).find((argument) => !argument.startsWith("--")) || "docs/img");
process.env.NOTSO_BIN ||= resolve("build/release/notso");
mkdirSync(folder, { recursive: true });

const kDesk = { viewport: { width: 1120, height: 760 }, colorScheme: "light" };
const kDark = { ...kDesk, colorScheme: "dark" };
const kPhone = { viewport: { width: 390, height: 780 }, colorScheme: "light" };

const browser = await launch();
const shoot = (page, name) => page.screenshot({ path: join(folder, `${name}.png`) });

async function readme_pictures() {
  const program = await start_program({ args: ["-m", real_model()] });
  const page = await open_page(browser, program.url, { colorScheme: "light", viewport: { width: 1280, height: 800 } });
  for (const question of ["What is the capital of France?", "Give me three ideas for a rainy Sunday."]) {
    await page.goto(program.url);
    await send(page, question);
    await finished_answer(page);
  }
  await send(page, "Explain in a few sentences why the sky is blue.");
  await wait_for_words(page, 25);
  await shoot(page, "chat");
  await finished_answer(page);
  await page.emulateMedia({ colorScheme: "dark" });
  await shoot(page, "chat-dark");
  await page.context().close();
  await program.stop();
}

const kFormula = "[echo] The roots of $ax^2+bx+c=0$ are\n\n$$x = \\frac{-b \\pm \\sqrt{b^2-4ac}}{2a}$$\n\n" +
  "```python\ndef roots(a, b, c):\n    d = (b * b - 4 * a * c) ** 0.5  # may be complex\n    return (-b + d) / (2 * a), (-b - d) / (2 * a)\n```\n";
const kArabic = "ما هي عاصمة فرنسا؟\n\nعاصمة فرنسا هي **باريس**.\n\n1. السين\n2. اللوار\n\n[echo]";

/// Each state: its name, how the window is, and what a person does to get there.
const kStates = [
  ["start-light", kDesk, async () => {}],
  ["start-dark", kDark, async () => {}],
  ["phone", kPhone, async (page) => {
    await send(page, "[markdown] Three days in Lisbon in May?");
    await finished_answer(page);
  }],
  ["phone-drawer", { ...kPhone, colorScheme: "dark" }, async (page) => {
    await send(page, "Three days in Lisbon");
    await finished_answer(page);
    await page.reload();
    await page.click("header [popovertarget=sidebar]");
  }],
  ["streaming", kDesk, async (page) => {
    await send(page, "[markdown] [slow] Three days in Lisbon in May?");
    await wait_for_words(page, 30);
  }],
  ["thinking", kDark, async (page) => {
    await send(page, "[think] [slow] [markdown] Three days in Lisbon in May?");
    await page.click("details.aside summary");
    await page.waitForTimeout(1200);
  }],
  ["tool", kDesk, async (page) => {
    await send(page, '[call web_fetch {"url":"https://example.org/weather/lisbon"}] How warm is it there?');
    await page.waitForSelector(".asking");
  }],
  ["error", kDesk, async (page) => {
    await send(page, "[error] [long 30] Three days in Lisbon?");
    await finished_answer(page);
    await page.route("**/messages", (route) => route.abort());
    await page.fill("#message", "This does not get through.");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".user.failed");
  }],
  ["settings", kDesk, (page, url) => page.goto(`${url}/settings`)],
  ["search", kDesk, async (page) => {
    await send(page, "[markdown] Three days in Lisbon in May?");
    await finished_answer(page);
    await page.fill("#search", "days in");
    await page.waitForSelector("#history mark, #history .quiet-note");
  }],
  ["rich", kDesk, async (page) => {
    await send(page, kFormula);
    await finished_answer(page);
    await page.waitForSelector("math", { timeout: 5000 }).catch(() => {});
    await page.waitForTimeout(500);
  }],
  ["right-to-left", kDesk, async (page) => {
    await send(page, kArabic);
    await finished_answer(page);
  }],
  ["commands", kDark, async (page) => {
    await page.focus("#message");
    await page.keyboard.type("/");
    await page.waitForTimeout(400);
  }],
  ["context", kDesk, async (page) => {
    await send(page, "[markdown] Three days in Lisbon in May?");
    await finished_answer(page);
    await page.goto(`${page.url().replace(/\?.*/, "")}/context`);
  }],
];

async function state_pictures() {
  const program = await start_program({ args: ["--backend", "stub", "--tools", "calculator,web_fetch"] });
  for (const [name, options, act] of kStates) {
    const page = await open_page(browser, program.url, options);
    await page.waitForLoadState("load");
    await act(page, program.url);
    await page.waitForTimeout(300);
    await shoot(page, name);
    await page.context().close();
  }
  await program.stop();
}

if (process.argv.includes("--states")) await state_pictures();
else await readme_pictures();
await browser.close();
