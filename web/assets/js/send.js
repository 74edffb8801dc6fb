// The composer: Enter sends, drafts survive, a message shows at once and keeps its text when sending fails.
// The request itself is htmx's; this file watches its events.
(() => {
  const form = document.getElementById("composer");
  const input = document.getElementById("message");
  const list = document.getElementById("messages");
  if (!form || !input || !list) return;

  const draft_key = `draft:${form.getAttribute("action")}`;
  const is_ours = (event) => event.detail?.ctx?.sourceElement === form;
  const is_running = () => document.getElementById("stop-button") !== null;

  form.noValidate = true;  // blank texts are caught below, without a browser bubble

  function new_client_id() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  function store_draft(text) {
    if ("temporary" in form.dataset) return;
    try {
      if (text) localStorage.setItem(draft_key, text);
      else localStorage.removeItem(draft_key);
    } catch { /* storage is off: the draft lives in the field only */ }
  }

  function read_draft() {
    if ("temporary" in form.dataset) return "";
    try { return localStorage.getItem(draft_key) || ""; } catch { return ""; }
  }

  function fit() {
    if (CSS.supports("field-sizing", "content")) return;
    input.style.height = "auto";
    input.style.height = `${input.scrollHeight}px`;
  }

  function fill(text) {
    input.value = text;
    store_draft(text);
    fit();
    input.focus();
    input.setSelectionRange(text.length, text.length);
  }

  function show_alert(text) {
    const paragraph = document.createElement("p");
    paragraph.textContent = text;
    document.getElementById("alert").replaceChildren(...(text ? [paragraph] : []));
  }

  document.addEventListener("notso:alert", (event) => show_alert(event.detail));

  function bubble(text) {
    const node = document.getElementById("pending-message").content.firstElementChild.cloneNode(true);
    node.querySelector(".said").textContent = text;
    list.append(node);
    return node;
  }

  function button(label, action) {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = label;
    made.addEventListener("click", action);
    return made;
  }

  function mark_failed(ctx, reason) {
    const node = ctx.pending;
    if (ctx.waits) {
      if (!input.value) fill(ctx.sent_values.message);
      return show_alert(`${say("Not sent:")} ${reason}.`);
    }
    if (!node?.isConnected || node.classList.contains("failed")) return;
    node.classList.add("failed");
    const values = ctx.sent_values;
    const label = document.createElement("span");
    label.textContent = `${say("Not sent:")} ${reason}`;
    const retry = button(say("Retry"), () => {
      if (is_running()) return show_alert(say("An answer is being written: wait for it, or stop it."));
      send_again(node, values);
    });
    const edit = button(say("Edit"), () => {
      node.remove();
      fill(values.message);
    });
    node.querySelector(".delivery").replaceChildren(label, retry, edit);
    store_draft(input.value || values.message);
  }

  function send_again(node, values) {
    node.classList.remove("failed");
    const label = document.createElement("span");
    label.textContent = say("Sending…");
    node.querySelector(".delivery").replaceChildren(label);
    show_alert("");
    htmx.ajax("POST", form.getAttribute("action"), { source: form, values, pending: node });
  }

  form.addEventListener("submit", (event) => {
    if (input.value.trim() !== "") return form.hasAttribute("hx-ignore") && store_draft("");  // from a page of old messages
    event.preventDefault();
    event.stopImmediatePropagation();
  }, { capture: true });

  form.addEventListener("htmx:before:request", (event) => {
    if (!is_ours(event)) return;
    const { ctx } = event.detail;
    ctx.sent_values = Object.fromEntries(ctx.request.body);
    ctx.begins = true;
    show_alert("");
    ctx.waits = (is_running() || ctx.is_command) && !ctx.pending;  // it is sent after the answer, or no message
    if (!ctx.waits) {
      document.getElementById("greeting")?.remove();
      document.getElementById("after")?.replaceChildren();
      ctx.pending ||= bubble(ctx.sent_values.message);
    }
    if (input.value === ctx.sent_values.message) {
      input.value = "";
      form.elements.client_id.value = new_client_id();
      fit();
    }
    if (!ctx.waits) document.dispatchEvent(new CustomEvent("notso:sending"));
  });

  form.addEventListener("htmx:after:request", (event) => {
    if (!is_ours(event) || event.detail.ctx.response.status >= 400) return;
    const { ctx } = event.detail;
    if (read_draft() === ctx.sent_values.message) store_draft(input.value);
    if (ctx.hx.redirect) return;  // the page with the answer is on its way
    ctx.pending?.remove();
  });

  // A message that is taken back stands in the composer again, if nothing else does.
  document.addEventListener("htmx:after:request", (event) => {
    const source = event.detail?.ctx?.sourceElement;
    if (!source?.matches?.("form.withdraw") || event.detail.ctx.response.status >= 400) return;
    const text = source.parentElement.querySelector(".said").textContent;
    if (!input.value) fill(text);
  });

  const kReasons = {
    413: say("it is too long"),
    403: say("this page may not send here"),
    503: say("the model is not available now"),
  };
  const kReasonsBeside = {
    404: say("That message is gone: reload the page."),
    409: say("An answer is being written: wait for it, or stop it."),
    413: say("That is too long."),
    503: say("The model is not available now: try again in a moment."),
  };
  form.addEventListener("htmx:response:error", (event) => {
    if (!is_ours(event)) return;
    const { ctx } = event.detail;
    const wait_s = ctx.response.status === 503 && Number(ctx.response.raw.headers.get("Retry-After"));
    const when = wait_s > 1 ? `, ${say("try again in about")} ${wait_s} s` : "";
    mark_failed(ctx, (kReasons[ctx.response.status] || `${say("the server answered")} ${ctx.response.status}`) + when);
  });
  form.addEventListener("htmx:error", (event) => {
    if (is_ours(event)) mark_failed(event.detail.ctx, say("the server can’t be reached"));
  });

  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowUp" && !input.value && !is_running()) {
      const links = list.querySelectorAll(".turn .edit-link");
      if (links.length > 0) event.preventDefault();
      return links[links.length - 1]?.click();
    }
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    form.requestSubmit();
  });
  input.addEventListener("input", () => {
    store_draft(input.value);
    fit();
  });

  document.addEventListener("click", (event) => {
    const idea = event.target.closest?.("[data-draft]");
    if (idea) {
      event.preventDefault();
      return fill(idea.dataset.draft);
    }
  });

  // Forms beside messages: another answer, another question, the way between versions.
  const is_beside = (event) => list.contains(event.detail?.ctx?.sourceElement);
  document.addEventListener("htmx:before:request", (event) => {
    if (!is_beside(event)) return;
    show_alert("");
    const { ctx } = event.detail;
    ctx.edits = ctx.sourceElement.matches(".edit-link");  // what is swapped away can't be asked afterwards
    ctx.begins = ctx.sourceElement.matches("form.retry, form.continue, form.edit");
    if (ctx.begins) document.dispatchEvent(new CustomEvent("notso:sending"));
  });
  document.addEventListener("htmx:error", (event) => {
    if (is_beside(event)) show_alert(say("The server can’t be reached: try again in a moment."));
  });
  document.addEventListener("htmx:response:error", (event) => {
    if (!is_beside(event)) return;
    const { status } = event.detail.ctx.response;
    show_alert(kReasonsBeside[status] || `${say("That did not work:")} ${say("the server answered")} ${status}.`);
  });
  document.addEventListener("htmx:after:swap", (event) => {
    if (!event.detail?.ctx?.edits) return;
    const field = list.querySelector(".edit textarea");
    field?.focus();
    field?.setSelectionRange(field.value.length, field.value.length);
  });

  if (!input.value) input.value = read_draft();
  else if (input.value !== input.defaultValue) store_draft(input.value);  // typed before this script ran
  fit();
})();
