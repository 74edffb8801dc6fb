// Shortcuts for the whole page: Ctrl+Shift+O begins a chat, Ctrl+B shows or hides the list of chats, ? opens help.
// Those of one part of the page are in its file (search.js, send.js, stream.js); web/pages/help_view.cpp lists all.
(() => {
  const root = document.documentElement;
  const sidebar = document.getElementById("sidebar");
  const kNarrow = "(max-width: 48rem)";

  function remember(hidden) {
    try {
      if (hidden) localStorage.setItem("list", "hidden");
      else localStorage.removeItem("list");
    } catch { /* storage is off: the next page has the list again */ }
  }

  function toggle_list() {
    if (!sidebar) return;
    if (matchMedia(kNarrow).matches || sidebar.matches(":popover-open")) return sidebar.togglePopover();
    const hidden = root.classList.toggle("no-list");
    remember(hidden);
    const announcer = document.getElementById("announcer");
    if (announcer) announcer.textContent = hidden ? say("The list of chats is hidden") : say("The list of chats is shown");
    if (document.activeElement === document.body) document.getElementById("message")?.focus();
  }

  async function open_help() {
    if (document.querySelector("dialog[open]")) return;
    let dialog = document.getElementById("help");
    if (!dialog) {
      const response = await fetch("/help?part=dialog").catch(() => null);
      if (!response?.ok) return location.assign("/help");
      if (!document.getElementById("help")) document.body.insertAdjacentHTML("beforeend", await response.text());
      dialog = document.getElementById("help");
    }
    if (!dialog.open) dialog.showModal();
  }

  const is_field = (element) => element.closest?.("input, textarea, select, [contenteditable]");

  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.altKey) return;
    const key = event.key.toLowerCase();
    const with_control = event.ctrlKey || event.metaKey;
    if (event.ctrlKey && event.shiftKey && key === "o") document.getElementById("new-chat")?.click();
    else if (with_control && !event.shiftKey && key === "b" && sidebar) toggle_list();
    else if (!with_control && key === "?" && !is_field(event.target)) open_help();
    else return;
    event.preventDefault();
  });

  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("#help-link") || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    sidebar?.hidePopover?.();
    open_help();
  });

  try { root.classList.toggle("no-list", localStorage.getItem("list") === "hidden"); } catch { /* as it is */ }
})();
