// Copy buttons: for a whole answer (in the page already) and for each finished block of code (hidden until there is script).
(() => {
  async function to_clipboard(text) {
    if (navigator.clipboard) return navigator.clipboard.writeText(text);
    const field = document.createElement("textarea");  // plain http from another machine has no clipboard API
    field.value = text;
    field.className = "visually-hidden";
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }

  function show_buttons() {
    for (const button of document.querySelectorAll(".prose .copy[hidden]")) {
      if (button.closest(".assistant[aria-busy] .tail")) continue;  // it is still growing
      button.hidden = false;
      button.dataset.copy = "code";
    }
  }

  /// An answer is copied as it was written, in Markdown; as it is shown if the server can't be asked.
  async function text_of(button) {
    const written = button.dataset.source && await fetch(button.dataset.source).then((response) => response.ok && response.text()).catch(() => "");
    if (written) return written;
    if (button.dataset.copy === "code") return button.closest(".code").querySelector("code").textContent;
    // Every .prose: an answer that was watched without script has several.
    return Array.from(button.closest(".assistant").querySelectorAll(".prose"), (part) => part.innerText).join("\n").trim();
  }

  function show_done(button) {
    const icon = button.querySelector("use");
    if (icon) icon.setAttribute("href", "#i-check");
    else button.textContent = say("Copied");
    setTimeout(() => {
      if (icon) icon.setAttribute("href", "#i-copy");
      else button.textContent = say("Copy");
    }, 2000);
  }

  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("[data-copy]");
    if (!button) return;
    const announcer = document.getElementById("announcer");
    try {
      await to_clipboard(await text_of(button));
      if (announcer) announcer.textContent = say("Copied");
      show_done(button);
    } catch {
      if (announcer) announcer.textContent = say("Copying is not allowed here");
    }
  });

  document.addEventListener("htmx:after:swap", show_buttons);
  show_buttons();
})();
