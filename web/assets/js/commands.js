// Slash commands in the composer: a menu while one is typed (arrows, Tab, Enter, Escape), and what the server says about
// one that was sent. The server does them, with script or without; see web/routes/chat_commands.hpp.
(() => {
  const form = document.getElementById("composer");
  const input = document.getElementById("message");
  const told = document.getElementById("told");
  if (!form || !input || !told) return;

  let menu = null;
  let asked = false;
  let at = -1;
  const options = () => Array.from(menu?.querySelectorAll("[role=option]:not([hidden])") || []);
  const is_open = () => menu !== null && !menu.hidden;

  function select(index) {
    const shown = options();
    at = shown.length === 0 ? -1 : (index + shown.length) % shown.length;
    for (const option of shown) option.setAttribute("aria-selected", String(option === shown[at]));
    if (at < 0) return input.removeAttribute("aria-activedescendant");
    input.setAttribute("aria-activedescendant", shown[at].id);
    shown[at].scrollIntoView({ block: "nearest" });
  }

  function close() {
    if (menu) menu.hidden = true;
    input.removeAttribute("aria-activedescendant");
  }

  function update() {
    const typed = input.value.toLowerCase();
    if (!/^\/[a-z_]*$/.test(typed)) return close();
    if (!menu) return load();
    for (const option of menu.children) option.hidden = !`/${option.dataset.name}`.startsWith(typed);
    menu.hidden = options().length === 0;
    if (menu.hidden) return close();
    select(0);
  }

  async function load() {
    if (asked) return;
    asked = true;
    const response = await fetch("/help?part=commands").catch(() => null);
    asked = false;
    if (!response?.ok || menu) return;
    form.insertAdjacentHTML("afterbegin", await response.text());
    menu = document.getElementById("commands");
    input.setAttribute("aria-controls", menu.id);
    menu.addEventListener("mousedown", (event) => event.preventDefault());  // the focus stays in the field
    menu.addEventListener("click", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) complete(option, true);
    });
    update();
  }

  /// @param send  What needs no more is sent.
  function complete(option, send) {
    const line = `/${option.dataset.name}`;
    const whole = input.value.toLowerCase() === line;
    const takes = "takes" in option.dataset;
    input.value = takes && !(send && whole) ? `${line} ` : line;
    input.dispatchEvent(new Event("input", { bubbles: true }));
    close();
    if (send && (whole || !takes)) form.requestSubmit();
  }

  input.addEventListener("input", update);
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (!is_open() || event.isComposing || event.shiftKey || event.ctrlKey || event.altKey) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) select(at + step);
    else if (event.key === "Escape") close();
    else if (event.key === "Enter" || event.key === "Tab") complete(options()[at], event.key === "Enter");
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();  // it neither sends nor stops an answer
  });

  const say_told = (text) => {
    const paragraph = document.createElement("p");
    paragraph.textContent = text;
    told.replaceChildren(...(text ? [paragraph] : []));
  };

  form.addEventListener("htmx:before:request", (event) => {
    const { ctx } = event.detail;
    if (ctx.sourceElement !== form) return;
    close();
    ctx.is_command = /^\/[a-z_]+(\s|$)/i.test(ctx.request.body.get?.("message") || "");
    say_told(ctx.is_command ? say("One moment…") : "");
  });
  form.addEventListener("htmx:after:request", (event) => {
    const { ctx } = event.detail;
    if (!ctx.is_command) return;
    if (ctx.response.status >= 400) say_told("");
    else if (ctx.hx?.redirect?.includes("/export?")) say_told(say("The file is being saved."));
  });
  form.addEventListener("htmx:error", () => say_told(""));
  document.addEventListener("htmx:after:swap", (event) => {
    const ctx = event.detail?.ctx;
    if (!ctx?.is_command || input.value || !document.querySelector("#alert [data-refused]")) return;
    input.value = ctx.sent_values.message;  // to be mended
    input.dispatchEvent(new Event("input", { bubbles: true }));
    close();
  });

  // A page that was loaded with it: once, and said where nothing has changed yet.
  if (!told.textContent.trim()) return;
  const announcer = document.getElementById("announcer");
  if (announcer) setTimeout(() => { announcer.textContent = told.textContent.trim(); }, 300);
  history.replaceState(null, "", location.pathname + location.hash);
})();
