// Hundreds of hostile texts wherever a stored text is shown: titles, messages, answers, thoughts, tool calls, errors,
// summaries, models' names, search, a prefilled composer, addresses that don't exist. They come in by import.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { watch } from "./allowed.mjs";
import { assert_no_troubles, finished_answer, launch, open_page, send } from "./browser.mjs";
import { kPayloads } from "./payloads.mjs";
import { start_program } from "./program.mjs";

const kPairs = 10;  // they fit on one page
const kPages = Math.ceil(kPayloads.length / kPairs);
// In ./test.sh some pages are opened; the HTML of every one is looked at.
const kOpened = process.env.NOTSO_LONG ? 1 : 8;
const kSent = process.env.NOTSO_LONG ? 1 : 20;

let browser;
let program;
let context;
let page;
const far = [];
const chats = [];

before(async () => {
  browser = await launch();
  program = await start_program();
  await import_all();
  context = await browser.newContext();
  await watch(context);
  page = await open_page(browser, program.url, { context });
  page.on("request", (request) => {
    if (!request.url().startsWith(program.url)) far.push(request.url());
  });
  page.on("dialog", (dialog) => { far.push(dialog.message()); dialog.dismiss(); });
});
after(async () => {
  await browser?.close();
  await program?.stop();
});

const id_of = (n) => n.toString(16).padStart(32, "0");
const kStats = { prompt_tokens: 1, cached_tokens: 0, completion_tokens: 1, reasoning_tokens: 0, draft_tokens: 0, accepted_tokens: 0,
  first_token_ms: "1", tokens_per_second: "1", thinking_ms: "1", thinking_end: 0 };

function message(text, number, more) {
  return { id: id_of(number), parent: number > 1 ? id_of(number - 1) : null, role: "user", state: "complete", text, thinking: "", error: "",
    client_id: "", created_at: 1795710139350 + number, stats: kStats, tool_uses: [], ...more };
}

function conversation(texts) {
  const messages = texts.flatMap((text, i) => [message(text, 2 * i + 1), message(`Told:\n\n${text}\n\n${text}`, 2 * i + 2, {
    role: "assistant", state: i % 5 === 4 ? "failed" : "complete", thinking: text, error: i % 5 === 4 ? text : "",
    tool_uses: [{ id: `call-${i}-${text}`, name: text, arguments: text, state: ["done", "failed", "denied"][i % 3], output: text, round: 0,
      text_offset: 7, sends_to: text }] })]);
  return { notso_conversation: 1, id: id_of(1), title: texts[0], thinking: false, temperature: null, thinking_budget: null,
    system_prompt: texts[1] || "", date: "2026-11-26T16:22:19", created_at: 1795710139342, updated_at: 1795710139350, model: texts[2] || "",
    leaf: messages.at(-1).id, pinned: false, messages, notes: [{ number: 1, text: texts[0] }],
    summaries: [{ until: id_of(4), text: texts[0], prompt_tokens: 3, created_at: 1795710139350 }] };
}

async function import_all() {
  const parts = [];
  for (let i = 0; i < kPages; ++i) parts.push(conversation(kPayloads.slice(i * kPairs, (i + 1) * kPairs)));
  const form = new FormData();
  form.set("file", new Blob([JSON.stringify(parts)], { type: "application/json" }), `${"\"><script>top.pwned=1</script>"}.json`);
  const response = await fetch(`${program.url}/archive/import`, { method: "POST", body: form });
  const said = await response.text();
  assert.equal(response.status, 200, said);
  const listed = await (await fetch(`${program.url}/chats`)).text();
  chats.push(...new Set(Array.from(listed.matchAll(/\/chat\/([0-9a-f]{32})/g), ([, id]) => id)));
  assert.equal(chats.length, kPages, said);
}

/// Fetches addresses inside the page and looks at their HTML as the browser parses it.
async function look_at(paths, selector) {
  const { looked, troubles } = await page.evaluate(async ([addresses, what]) => {
    const all = { looked: 0, troubles: [] };
    for (const address of addresses) {
      const html = await (await fetch(address)).text();
      all.looked += new DOMParser().parseFromString(html, "text/html").querySelectorAll(what).length;
      all.troubles.push(...globalThis.unwanted_in_html(html, what));
      if (/<script(?! src="\/assets\/app\.[0-9a-f]+\.js" defer data-code="\/assets\/code\.[0-9a-f]+\.js" data-math="\/assets\/math\.[0-9a-f]+\.js">)/i.test(html)) all.troubles.push(`script in ${address}`);
    }
    return all;
  }, [paths, selector]);
  assert.deepEqual(Array.from(new Set(troubles)), []);
  return looked;
}

async function assert_untouched() {
  assert.equal(await page.evaluate(() => globalThis.pwned), undefined);
  assert.deepEqual(far, []);
  assert_no_troubles(page);
}

test("the HTML of every stored chat has what it may have", async () => {
  const pages = await look_at(chats.map((id) => `/chat/${id}`), "#messages, #sidebar, .bar");
  assert.equal(pages, 3 * kPages);
  assert.equal(await look_at(chats.map((id) => `/chat/${id}`), "article.assistant"), kPayloads.length);
  await look_at([...chats.map((id) => `/chat/${id}/context`), "/chats", "/archive"], "main");
  await assert_untouched();
});

test("open chats run and load nothing", async () => {
  for (const id of chats.filter((_, i) => i % kOpened === 0)) {
    await page.goto(`${program.url}/chat/${id}`);
    await page.evaluate(() => { for (const part of document.querySelectorAll("details")) part.open = true; });
    await page.waitForTimeout(50);
    assert.deepEqual(await page.evaluate(() => globalThis.unwanted(document.getElementById("messages"))), []);
    await assert_untouched();
  }
  await page.goto(program.url);
});

test("search, prefilled composers, editing and pages that don't exist", async () => {
  const said = kPayloads.filter((text) => text.trim() && !text.includes("\0") && text.length < 200);
  const asked = said.map((text) => encodeURIComponent(text));
  page.expected.push("404", "400", "403");
  const hits = await look_at(["pwned", "evil", "script", "<img", "javascript:", "x"].map((word) => `/search?q=${encodeURIComponent(word)}`),
    "main li, #history li");
  assert.ok(hits > 20, `${hits} hits`);
  await look_at(asked.map((text) => `/search?q=${text}`), "main, #sidebar, .bar");
  await look_at(asked.filter((_, i) => i % kOpened === 0).flatMap((text) => [`/?prefill=${text}`, `/?deleted=${text}`, `/chat/${text}`,
    `/models?error=${text}`, `/login?next=${text}`]), "main");
  const edited = await page.evaluate(async (id) => {
    const html = await (await fetch(`/chat/${id}`)).text();
    return Array.from(html.matchAll(/\?edit=([0-9a-f]{32})/g), ([, of]) => `/chat/${id}?edit=${of}`);
  }, chats[1]);
  assert.equal(edited.length, 2 * kPairs);
  await look_at(edited, "#messages");
  await assert_untouched();
});

test("what is typed comes back as text, in the message, the title and the answer", async () => {
  const refused = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/;  // control characters come in by import only
  for (const text of kPayloads.filter((payload, i) => i % kSent === 0 && payload.trim() && !refused.test(payload))) {
    await page.goto(program.url);
    await send(page, `[echo]\n\n${text}`).catch((error) => assert.fail(`${JSON.stringify(text)} is not sent: ${error}`));
    await finished_answer(page).catch(async (error) => assert.fail(`${JSON.stringify(text)}: ${error}\n${await page.locator("main").innerHTML()}`));
    assert.deepEqual(await page.evaluate(() => ["messages", "sidebar"].flatMap((id) => globalThis.unwanted(document.getElementById(id)))), []);
    assert.equal(await page.locator(".user .said").last().textContent(), `[echo]\n\n${text.replace(/\r\n?/g, "\n")}`);
    await assert_untouched();
  }
});

test("names of files and what is in them are text", async () => {
  const made = [];
  for (let i = 0; i < kPayloads.length; i += 5 * kSent / (process.env.NOTSO_LONG ? 1 : 4)) {
    const form = new FormData();
    form.set("message", "[echo] files");
    for (const text of kPayloads.slice(i, i + 5)) form.append("files", new Blob([`${text}\n`], { type: "text/plain" }), `${text}.txt`);
    const response = await fetch(`${program.url}/chat`, { method: "POST", body: form, redirect: "manual" });
    if (response.status === 303) made.push(new URL(response.headers.get("location"), program.url).pathname);
  }
  assert.ok(made.length >= 5, `${made.length} messages with files`);
  const shown = await look_at(made, "#messages");
  assert.equal(shown, made.length);
  for (const path of made.slice(0, 10)) {
    await page.goto(program.url + path);
    assert.ok(await page.locator("#messages").getByText(".txt").count() > 0, "the names are shown");
    assert.deepEqual(await page.evaluate(() => globalThis.unwanted(document.getElementById("messages"))), []);
    await assert_untouched();
  }
});
