// Around the answer's stream (hx-sse reads it): announcements, Stop by Escape, other tabs, and a second try when the
// first connection fails, which hx-sse leaves to the page.
(() => {
  const main = document.querySelector("main[data-conversation]");
  const announcer = document.getElementById("announcer");
  if (!main || !announcer) return;

  const conversation = main.dataset.conversation;
  let title = document.title;
  const kStillWorkingMs = 10000;
  const kQuestion = say("A tool asks for your decision");
  const stop_button = () => document.getElementById("stop-button");
  let ticker = 0;
  let retry_ms = 500;
  let asked = "";

  function announce(text) {
    announcer.textContent = text;
  }

  function started() {
    clearInterval(ticker);
    announce(document.querySelector(".asking") ? kQuestion : say("Generating"));
    ticker = setInterval(() => {
      if (document.querySelector(".asking")) return;  // it has been said, and nothing moves
      if (stop_button()) announce(announcer.textContent === say("Still working") ? say("Still working…") : say("Still working"));
      else clearInterval(ticker);
    }, kStillWorkingMs);
  }

  // A tool that asks: said once, where the focus is.
  document.addEventListener("htmx:after:swap", () => {
    const question = document.querySelector(".asking");
    if (!question || question.id === asked) return;
    asked = question.id;
    announce(kQuestion);
  });

  function ended(event) {
    clearInterval(ticker);
    announce(event.detail?.data || say("Answer ready"));
    if (document.hidden) document.title = `(${say("ready")}) ${title}`;
    if (document.activeElement === document.body) document.getElementById("message")?.focus();
  }

  document.addEventListener("turn-end", ended);
  document.addEventListener("turn-end", () => {
    if (document.querySelector("#waiting li")) setTimeout(sync);  // the next one is being answered
  });

  // A turn that another tab of this browser started: it tells, so that this one need not wait for the focus.
  const channel = conversation && "BroadcastChannel" in window ? new BroadcastChannel("notso") : null;
  const last_message = () => Array.from(main.querySelectorAll("[data-message]")).at(-1)?.dataset.message || "";

  function sync() {
    if (!conversation || document.hidden || stop_button()) return;
    htmx.ajax("GET", `/chat/${conversation}/state?since=${last_message()}`, { source: main, swap: "none" });
  }

  if (channel) channel.onmessage = (event) => event.data === conversation && sync();
  addEventListener("focus", sync);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    document.title = title;
    sync();
  });

  // Fragments may arrive twice (a retried send, another tab's news): the newer one takes the place.
  document.addEventListener("htmx:before:swap", (event) => {
    for (const task of event.detail.tasks || []) {
      const target = typeof task.target === "string" ? document.querySelector(task.target) : task.target;
      if (target?.id !== "messages") continue;
      for (const fresh of task.fragment.querySelectorAll("[data-message]")) {
        document.getElementById(fresh.id)?.remove();
      }
    }
  });

  document.addEventListener("htmx:after:swap", (event) => {
    const { begins, sourceElement } = event.detail?.ctx ?? {};
    if (!stop_button() || !(begins || sourceElement === main)) return;
    started();
    if (begins) channel?.postMessage(conversation);
  });

  // A title that the model made, some seconds after the answer: the tab and the form for renaming follow the heading.
  const heading = document.getElementById("title");
  let named = heading?.textContent;
  document.addEventListener("htmx:after:swap", () => {
    if (!heading || heading.textContent === named) return;
    title = title.replace(named, () => heading.textContent);
    named = heading.textContent;
    document.title = document.hidden ? `(${say("ready")}) ${title}` : title;
    const field = document.getElementById("new-title");
    if (field && field.value === field.defaultValue) field.value = field.defaultValue = named;
  });

  function reconnect(event) {
    const { ctx } = event.detail;
    const element = ctx?.sourceElement;
    if (element?.id !== "stream" || !element.isConnected || ctx.response?.status === 404) return;
    setTimeout(() => {
      const fresh = element.cloneNode(false);
      fresh.removeAttribute("data-htmx-powered");
      if (!element.isConnected) return;
      element.replaceWith(fresh);
      htmx.process(fresh);
    }, retry_ms);
    retry_ms = Math.min(retry_ms * 2, 10000);
  }
  document.addEventListener("htmx:error", reconnect);
  document.addEventListener("htmx:response:error", reconnect);
  document.addEventListener("htmx:sse:after:connection", () => { retry_ms = 500; });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.isComposing || document.querySelector(":popover-open, dialog[open]")) return;
    const button = stop_button();
    if (!button) return;
    event.preventDefault();
    button.click();
  });

  if (stop_button()) {
    started();
    channel?.postMessage(conversation);
  }
})();
