// Colours in code and drawn formulas: fetched when there is use for them, text and source unchanged, bounded, readable.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { assert_accessible, assert_fits } from "./accessibility.mjs";
import { watch } from "./allowed.mjs";
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

async function open_watched(options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  await watch(context);
  const page = await open_page(browser, program.url, { context });
  page.fetched = [];
  page.on("request", (request) => page.fetched.push(new URL(request.url()).pathname));
  return page;
}

async function answered(page, text) {
  await send(page, `[echo]\n\n${text}`);
  await finished_answer(page);
}

const libraries = (page) => page.fetched.filter((path) => /\/(code|math)\./.test(path)).map((path) => path.split("/")[2].split(".")[0]);
const drawn = (page, count) => page.waitForFunction((wanted) => document.querySelectorAll(".prose math").length >= wanted, count);
const assert_clean = async (page) =>
  assert.deepEqual(await page.evaluate(() => globalThis.unwanted(document.getElementById("messages"))), []);

const kSamples = {
  python: "def f(x):\n    return 1  # one", c: "int main(void) { return 0; }", "c++": "auto x = std::string(\"a\");", js: "const a = () => 1;",
  ts: "let a: number = 1;", json: "{\"a\": [1, true]}", html: "<p class=\"a\">b</p>", css: "p { color: red; }", bash: "for a in 1; do echo $a; done",
  sql: "select a from b where c = 1", rust: "fn main() -> u8 { 1 }", go: "func main() { return }", java: "public class A { int b = 1; }",
  yaml: "a: 1\nb: [true]", markdown: "# a\n*b*", diff: "-a\n+b",
};

test("code has colours in the languages that people ask for, and its text stays", async () => {
  const page = await open_watched();
  await answered(page, Object.entries(kSamples).map(([name, text]) => `\`\`\`${name}\n${text}\n\`\`\``).join("\n\n"));
  await page.evaluate(() => document.getElementById("jump").click());
  for (const [i, text] of Object.values(kSamples).entries()) {
    const code = page.locator(".prose .code code").nth(i);
    await code.scrollIntoViewIfNeeded();
    await page.waitForFunction((n) => document.querySelectorAll(".prose .code code")[n].querySelector("span"), i);
    assert.equal(await code.textContent(), `${text}\n`);
  }
  assert.deepEqual(libraries(page), ["code"], "once, and no formulas");
  await assert_clean(page);
  await close_page(page);
});

test("an answer is drawn from its Markdown: headings, lists, tables, code with its language", async () => {
  const page = await open_watched();
  await send(page, "[markdown] [slow]");
  await page.waitForSelector(".prose h3");
  assert.equal(await page.locator(".prose .table").count(), 0, "what comes later is not there yet");
  await finished_answer(page);
  const texts = (selector) => page.locator(`.prose ${selector}`).allInnerTexts();
  assert.deepEqual(await texts("h3"), ["A scripted answer"]);
  assert.deepEqual(await texts("strong"), ["scripted stub"]);
  assert.deepEqual(await texts("ul > li > ol > li"), ["nested one", "nested two"]);
  assert.deepEqual(await texts(".table th, .prose .table td"), ["city", "country", "Paris", "France", "Zürich", "Switzerland"]);
  assert.deepEqual(await texts("blockquote"), ["A quotation."]);
  assert.deepEqual(await texts(".code header span"), ["cpp"]);
  assert.deepEqual(await texts(".code header button"), ["Copy"]);
  assert.equal(await page.locator(".prose a[href='https://example.org']").count(), 1);
  await page.waitForSelector(".prose .code code span");
  await assert_clean(page);
  await close_page(page);
});

test("an answer without code or formulas fetches nothing", async () => {
  const page = await open_watched();
  await answered(page, "It costs $5 and *that* is `all`.");
  await page.waitForTimeout(300);
  assert.deepEqual(libraries(page), []);
  await close_page(page);
});

test("code that is unknown, plain or very long stays as it is", async () => {
  const page = await open_watched();
  await answered(page, `\`\`\`\nplain\n\`\`\`\n\n\`\`\`klingon\nqapla\n\`\`\`\n\n\`\`\`js\n${"a=1;".repeat(6000)}\n\`\`\`\n\n\`\`\`js\nlet b = 2;\n\`\`\``);
  await page.waitForFunction(() => document.querySelector(".prose .code:last-child code span"));
  const spans = await page.locator(".prose .code code").evaluateAll((all) => all.map((code) => code.childElementCount > 0));
  assert.deepEqual(spans, [false, false, false, true]);
  await close_page(page);
});

test("finished blocks get their colours while the answer goes on; what grows does not", async () => {
  const page = await open_watched();
  await page.addInitScript(() => {
    globalThis.seen = [];
    new MutationObserver(() => {
      for (const code of document.querySelectorAll("article.assistant .code code")) {
        const where = code.closest("[aria-busy] .tail") ? "tail" : code.closest("[aria-busy]") ? "block" : "end";
        globalThis.seen.push(`${where} ${code.querySelector("span") ? "coloured" : "plain"}`);
      }
    }).observe(document, { childList: true, subtree: true });
  });
  await send(page, "[markdown] [slow]");
  await finished_answer(page);
  await page.waitForSelector(".prose .code code span");
  await send(page, "[markdown] [slow]");
  await finished_answer(page);
  const seen = new Set(await page.evaluate(() => globalThis.seen));
  assert.ok(seen.has("block coloured"), Array.from(seen).join());
  assert.ok(!seen.has("tail coloured"));
  await close_page(page);
});

test("formulas are drawn, prices are not, and what is copied is the source", async () => {
  const page = await open_watched({ permissions: ["clipboard-read", "clipboard-write"] });
  await answered(page, "Euler: $e^{i\\pi} + 1 = 0$ for $5 or $6.\n\n\\[\n\\int_0^1 x^2\\,dx = \\frac{1}{3}\n\\]\n\n" +
    "$$\\begin{aligned} a &= b \\\\ c &= \\begin{pmatrix} 1 & 2 \\\\ 3 & 4 \\end{pmatrix} \\end{aligned}$$\n\nand \\(\\boxed{\\sqrt[3]{x}}\\).");
  await drawn(page, 4);
  assert.deepEqual(libraries(page), ["math"]);
  assert.match(await page.innerText(".prose"), /for \$5 or \$6\./);
  assert.deepEqual(await page.locator(".prose .display").evaluateAll((all) => all.map((node) => [node.tabIndex, node.getAttribute("aria-label")])),
    [[0, "Formula"], [0, "Formula"]]);
  await assert_clean(page);
  await page.evaluate(() => getSelection().selectAllChildren(document.querySelector(".prose")));
  await page.keyboard.press("Control+c");
  assert.match(await page.evaluate(() => navigator.clipboard.readText()), /Euler: \$e\^\{i\\pi\} \+ 1 = 0\$ for[^]*\\frac\{1\}\{3\}/);
  await close_page(page);
});

const kHostile = [
  "{".repeat(1900) + "}".repeat(1900), "\\frac{".repeat(600) + "1}{2}".repeat(600), "x^".repeat(1000) + "1", "x_{".repeat(900) + "}".repeat(900),
  "\\left(".repeat(500) + "\\right)".repeat(500), "\\def\\a{\\a\\a}\\a", "\\def\\a{\\b\\b\\b}\\def\\b{\\c\\c\\c}\\def\\c{\\d\\d\\d}\\def\\d{xxxx}\\a\\a\\a",
  "\\newcommand\\x{\\x}\\x", "\\href{javascript:top.pwned=1}{x}", "\\url{https://evil.test/}", "\\includegraphics{https://evil.test/a.png}",
  "\\class{app}{x}", "\\id{composer}{x}", "\\style{position:fixed}{x}", "\\data{draft=1}{x}", "\\hspace{9999em}x", "\\kern-999em x", "\\rule{9999em}{9999em}",
  "\\raisebox{9999em}{x}", "\\text{<img src=x onerror=top.pwned=1>}", "\\color{red}{x}", "\\colorbox{url(https://evil.test)}{x}", "\\cancel{x}", "\\pmb{x}",
  "\\prescript{a}{b}{c}", "\\tag{1} x", "\\begin{matrix}" + "1&".repeat(1200) + "\\end{matrix}", "\\unicode{x202e}x", "\\undefined", "}{", "\\begin{x}", "&&&",
  "\\mathllap{" + "x".repeat(300) + "}", "\\char\"10FFFF", "\\sqrt{".repeat(300) + "}".repeat(300), "x".repeat(3900), "\\htmlData{a=b}{x}", "\\gdef\\frac{y}",
];

test("hostile formulas are bounded and harmless", async () => {
  const page = await open_watched();
  await answered(page, kHostile.map((tex) => `$$${tex}$$`).join("\n\n"));
  await page.evaluate(async () => {
    for (const node of document.querySelectorAll(".prose .math")) {
      node.scrollIntoView();
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  });
  await drawn(page, 5);
  assert.equal(await page.locator(".prose .math").count(), kHostile.filter((tex) => tex.length <= 3998).length);
  await assert_clean(page);
  await assert_fits(page, "hostile formulas");
  assert.equal(await page.evaluate(() => globalThis.pwned), undefined);
  await answered(page, "$\\frac{1}{2}$");
  await page.waitForFunction(() => Array.from(document.querySelectorAll("mfrac")).some((node) => node.textContent === "12"));
  await close_page(page);
});

for (const colorScheme of ["light", "dark"]) {
  test(`colours of code can be read, wide things scroll inside themselves: ${colorScheme}`, async () => {
    const page = await open_watched({ colorScheme, viewport: { width: 360, height: 800 } });
    const wide = "x + ".repeat(60) + "x";
    await answered(page, `${Object.entries(kSamples).map(([name, text]) => `\`\`\`${name}\n${text}\n\`\`\``).join("\n\n")}\n\n$$${wide}$$\n\n` +
      `inline $${wide}$ too\n\n|${"a|".repeat(30)}\n|${"-|".repeat(30)}\n|${"word|".repeat(30)}\n\n\`\`\`js\n${"long ".repeat(100)}\n\`\`\``);
    await page.evaluate(async () => {
      for (const node of document.querySelectorAll(".prose code, .prose .math")) {
        node.scrollIntoView();
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    });
    await drawn(page, 2);
    await assert_fits(page, colorScheme);
    const stuck = await page.evaluate(() => Array.from(document.querySelectorAll(".prose *"))
      .filter((node) => node.scrollWidth > node.clientWidth + 1 && node.clientWidth > 0 && !/auto|scroll/.test(getComputedStyle(node).overflowX)
        && !node.closest("math") && getComputedStyle(node).display !== "inline" && !node.parentElement.closest(".table, pre"))
      .map((node) => node.outerHTML.slice(0, 80)));
    assert.deepEqual(stuck, []);
    await assert_accessible(page, colorScheme);
    await close_page(page);
  });
}

test("without script code and the sources of formulas stand there", async () => {
  const page = await open_page(browser, program.url, { javaScriptEnabled: false });
  await page.fill("#message", "[echo]\n\n```js\nlet a = 1;\n```\n\n\\[\\frac{1}{2}\\]");
  await page.click("#send-button", { noWaitAfter: true });
  await page.waitForSelector("#composer #send-button");
  assert.equal(await page.textContent(".prose code.display"), "\\frac{1}{2}");
  assert.equal(await page.textContent(".prose pre code"), "let a = 1;\n");
  await close_page(page);
});
