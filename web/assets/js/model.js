// The model's badge, its banner and the thinking switch follow the server's state without a reload. The server is asked
// when the page is looked at, when an answer begins or ends, and again and again only while something is about to change:
// a model is loading, a remote server is away, the first word is awaited. A page that is idle and ready asks nothing.
(() => {
  const badge = () => document.getElementById("model-badge");
  const bar = badge()?.parentElement;
  const main = document.querySelector("main[data-conversation]");
  if (!bar) return;

  const kAskMs = 1500;
  const kDoubts = 3;  // a server far away that broke off needs a moment to be known as gone
  let doubts = 0;
  let timer = 0;
  let asking = false;
  let asked_meanwhile = false;

  function first_word_awaited() {
    if (!document.getElementById("stop-button")) return false;
    const last = Array.from(document.querySelectorAll("article.assistant")).at(-1);
    return !last?.querySelector(".thoughts details") && !last?.querySelector(".prose")?.textContent.trim();
  }

  function address() {
    const { model, seen } = badge().dataset;
    const query = new URLSearchParams({ model });
    if (main) {
      query.set("seen", seen);
      query.set("conversation", main.dataset.conversation);
      if (document.getElementById("thinking")?.checked) query.set("thinking", "1");
      query.set("budget", document.getElementById("budget")?.value ?? "");
    }
    return `/model-badge?${query}`;
  }

  function tell(before) {
    const { state } = badge().dataset;
    const announcer = document.getElementById("announcer");
    if (!announcer || state === before) return;
    if (state === "loading") announcer.textContent = say("Loading the model");
    else if (state === "ready" && before !== "unloaded") announcer.textContent = say("The model is ready");
  }

  async function ask() {
    clearTimeout(timer);
    if (asking || document.hidden) {
      asked_meanwhile = asking;
      return;
    }
    asking = true;
    const before = badge().dataset.state;
    await htmx.ajax("GET", address(), { source: bar, swap: "none" }).catch(() => {});
    asking = false;
    tell(before);
    const name = document.getElementById("greeting-model");
    if (name) name.textContent = badge().querySelector(".model-name").textContent;
    if (asked_meanwhile) {
      asked_meanwhile = false;
      ask();
    } else if ("changing" in badge().dataset || first_word_awaited() || doubts > 0) {
      doubts = Math.max(doubts - 1, 0);
      timer = setTimeout(ask, kAskMs);
    }
  }

  document.addEventListener("htmx:after:swap", (event) => {
    if (event.detail?.ctx?.begins) ask();
  });
  document.addEventListener("htmx:response:error", (event) => {
    if (event.detail?.ctx?.begins) ask();
  });
  document.addEventListener("turn-end", () => {
    const failed = document.querySelector("article.assistant:last-of-type")?.dataset.state === "failed";
    doubts = failed ? kDoubts : 0;
    ask();
  });
  addEventListener("focus", ask);
  document.addEventListener("visibilitychange", ask);

  // A chat that does not exist yet has the model of the menu.
  document.addEventListener("change", (event) => {
    if (event.target.id !== "model-choice" || main?.dataset.conversation) return;
    badge().dataset.model = event.target.value;
    ask();
  });

  if ("changing" in badge().dataset || first_word_awaited()) timer = setTimeout(ask, kAskMs);
})();
