// A long conversation for tests and measurements: imported, with code, formulas and a table in every answer.
import assert from "node:assert/strict";

let made = 0;
const id_of = (n) => n.toString(16).padStart(32, "0");
const kStats = { prompt_tokens: 1, cached_tokens: 0, completion_tokens: 1, reasoning_tokens: 0, draft_tokens: 0, accepted_tokens: 0,
  first_token_ms: "1", tokens_per_second: "1", thinking_ms: "1", thinking_end: 0 };

const answer_of = (n) => `Answer **${n}**, which has code:\n\n\`\`\`python\ndef number_${n}(x: int) -> int:\n    """Number ${n}."""\n` +
  `    return x + ${n}  # needle${n}\n\`\`\`\n\nand $x_{${n}}^2$, and\n\n| a | b |\n|---|---|\n| ${n} | two |\n\nSome more words to end with.`;

/// Imports a chat of `count` messages on the server at `url`. @param more  Fields of the chat that are others. @returns its address.
export async function import_long_chat(url, count, more = {}) {
  const title = `A long chat ${++made}`;
  const messages = Array.from({ length: count }, (_, i) => ({
    id: id_of(i + 1), parent: i > 0 ? id_of(i) : null, role: i % 2 === 0 ? "user" : "assistant", state: "complete",
    text: i % 2 === 0 ? `Question ${i / 2}` : answer_of((i - 1) / 2), thinking: "", error: "", client_id: "", created_at: 1795710139350 + i,
    stats: kStats, tool_uses: [],
  }));
  const chat = { notso_conversation: 1, id: id_of(1), title, thinking: false, temperature: null, thinking_budget: null,
    system_prompt: "", date: "2026-11-26T16:22:19", created_at: 1795710139342, updated_at: 1795710139350, model: "", leaf: id_of(count),
    pinned: false, messages, notes: [], summaries: [], ...more };
  const form = new FormData();
  form.set("file", new Blob([JSON.stringify([chat])], { type: "application/json" }), "long.json");
  const response = await fetch(`${url}/archive/import`, { method: "POST", body: form });
  assert.equal(response.status, 200, await response.clone().text());
  const [, id] = (await (await fetch(url)).text()).match(new RegExp(`/chat/([0-9a-f]{32})"[^>]*>${chat.title}<`));
  return `${url}/chat/${id}`;
}
