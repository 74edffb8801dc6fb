// The search field above the conversations: Ctrl+K reaches it, Enter or arrow down goes to the results, Escape clears it.
// Searching while somebody types is htmx's; without script the form shows a page. Also takes the Undo away in time.
(() => {
  const field = document.getElementById("search");
  const sidebar = document.getElementById("sidebar");
  if (!field || !sidebar) return;

  const kUndoMs = 30000;
  const results = () => Array.from(document.querySelectorAll("#history a"));

  function reach() {
    if (getComputedStyle(sidebar).display === "none") sidebar.showPopover?.();
    field.focus();
    field.select();
  }

  function clear() {
    field.value = "";
    field.dispatchEvent(new Event("search", { bubbles: true }));
  }

  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey || event.key.toLowerCase() !== "k") return;
    event.preventDefault();
    reach();
  });

  field.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "Escape" && (field.value || !sidebar.matches(":popover-open"))) {
      event.preventDefault();  // it neither closes the drawer nor stops an answer
      event.stopPropagation();
      if (field.value) clear();
      else document.getElementById("message")?.focus();
    } else if (event.key === "ArrowDown") {
      event.preventDefault();
      results()[0]?.focus();
    }
  });

  field.form.addEventListener("submit", (event) => {
    event.preventDefault();
    results()[0]?.focus();
  });

  sidebar.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const at = results().indexOf(event.target);
    if (!step || at < 0) return;
    event.preventDefault();
    (results()[at + step] || (step < 0 ? field : event.target)).focus();
  });

  // Newer results take the place of those that somebody is in: the focus stays at the same place of the list.
  let place = -1;
  document.addEventListener("focusin", (event) => { place = results().indexOf(event.target); });
  document.addEventListener("htmx:after:swap", () => {
    if (place < 0 || document.activeElement !== document.body) return;
    (results()[Math.min(place, results().length - 1)] || field).focus();
  });

  const undo = document.getElementById("undo");
  if (undo) {
    setTimeout(() => {
      undo.remove();
      history.replaceState(null, "", "/");
    }, kUndoMs);
  }
})();
