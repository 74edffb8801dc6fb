// Copy buttons: for a whole answer (in the page already) and for each finished block of code (added here).
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

  function icon(name) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
    svg.setAttribute("aria-hidden", "true");
    use.setAttribute("href", `#i-${name}`);
    svg.append(use);
    return svg;
  }

  function add_buttons() {
    for (const header of document.querySelectorAll(".prose .code > header:not(:has(button))")) {
      if (header.closest(".assistant[aria-busy] .tail")) continue;  // it is still growing
      const button = document.createElement("button");
      button.type = "button";
      button.className = "quiet icon";
      button.dataset.copy = "code";
      button.setAttribute("aria-label", "Copy code");
      button.append(icon("copy"));
      header.append(button);
    }
  }

  function text_of(button) {
    if (button.dataset.copy === "code") return button.closest(".code").querySelector("code").textContent;
    return button.closest(".assistant").querySelector(".prose").innerText.trim();
  }

  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("[data-copy]");
    if (!button) return;
    const announcer = document.getElementById("announcer");
    try {
      await to_clipboard(text_of(button));
      button.querySelector("use").setAttribute("href", "#i-check");
      if (announcer) announcer.textContent = "Copied";
      setTimeout(() => button.querySelector("use")?.setAttribute("href", "#i-copy"), 2000);
    } catch {
      if (announcer) announcer.textContent = "Copying is not allowed here";
    }
  });

  document.addEventListener("htmx:after:swap", add_buttons);
  add_buttons();
})();
