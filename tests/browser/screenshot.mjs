// Takes the README's screenshot from the running program with the real model, and pictures of other states to look at:
//   tests/browser/run.sh needs to have run once; then  node tests/browser/screenshot.mjs FOLDER [--states]
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { finished_answer, launch, open_page, send, wait_for_words } from "./browser.mjs";
import { real_model, start_program } from "./program.mjs";

const folder = resolve(process.argv[2] || "docs/img");
process.env.NOTSO_BIN ||= resolve("build/release/notso");
mkdirSync(folder, { recursive: true });

const browser = await launch();
const shoot = (page, name) => page.screenshot({ path: join(folder, `${name}.png`) });

async function readme_picture() {
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

async function state_pictures() {
  const program = await start_program();
  for (const [look, options] of [["light", { colorScheme: "light" }], ["dark", { colorScheme: "dark" }],
    ["phone", { viewport: { width: 390, height: 844 }, colorScheme: "light" }]]) {
    const page = await open_page(browser, program.url, options);
    await page.waitForLoadState("load");
    await shoot(page, `${look}-empty`);
    await send(page, "[think] [markdown] [slow] Three days in Lisbon in May?");
    await wait_for_words(page, 4);
    await shoot(page, `${look}-streaming`);
    await finished_answer(page);
    await page.click("details.aside summary");
    await shoot(page, `${look}-answered`);
    await page.evaluate(() => { document.getElementById("scroll").scrollTop = 0; });
    await page.waitForTimeout(300);
    await shoot(page, `${look}-top`);
    await send(page, "[error] [long 30]");
    await finished_answer(page);
    await page.route("**/messages", (route) => route.abort());
    await page.fill("#message", "This does not get through.");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".user.failed");
    await page.waitForTimeout(200);
    await shoot(page, `${look}-error`);
    await page.click("[popovertarget=chat-menu]");
    await page.click("#chat-menu summary");
    await shoot(page, `${look}-menu`);
    await page.keyboard.press("Escape");
    if (look === "phone") {
      await page.click("[aria-label='Open conversations']");
      await shoot(page, "phone-drawer");
    }
    await page.goto(`${program.url}/chat/nowhere`);
    await shoot(page, `${look}-missing`);
    await page.context().close();
  }
  await program.stop();
}

if (process.argv.includes("--states")) await state_pictures();
else await readme_picture();
await browser.close();
