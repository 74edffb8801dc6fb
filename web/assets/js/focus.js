// Where the focus goes when what had it is replaced or taken away: to what took its place, or to the composer. Without
// this the browser would drop it, and a person without a pointer would begin at the top of the page again.
(() => {
  const list = document.getElementById("messages");
  if (!list) return;

  const messages = () => Array.from(list.querySelectorAll("[data-message]"));
  const message_of = (node) => node.closest("[data-message]") || node.closest(".versions")?.nextElementSibling;  // above an answer
  const label_of = (node) => node.getAttribute("aria-label") || node.textContent.trim();
  let by_touch = false;  // a field that gets the focus opens the keyboard of a phone
  let had = null;

  document.addEventListener("pointerdown", (event) => { by_touch = event.pointerType === "touch"; }, { capture: true });
  document.addEventListener("keydown", () => { by_touch = false; }, { capture: true });

  document.addEventListener("htmx:before:swap", () => {
    const node = document.activeElement;
    if (node === document.body) return;
    had = { node, id: node.id, label: label_of(node), place: messages().indexOf(message_of(node)), moves: node.closest(".versions") !== null,
      edits: node.closest(".edit") !== null };
  }, { capture: true });  // before anything is taken away

  /// The control of the message in the same place that does the same, or else the other way between versions.
  function successor({ label, place, moves, edits }) {
    const message = messages()[place];
    if (!message) return null;
    const controls = Array.from(list.querySelectorAll("a, button, summary"))
      .filter((node) => message_of(node) === message && !node.disabled && node.checkVisibility({ visibilityProperty: true }));
    if (edits) return controls.find((node) => node.matches(".edit-link"));
    return controls.find((node) => label_of(node) === label) || (moves && controls.find((node) => node.closest(".versions")));
  }

  document.addEventListener("htmx:after:swap", () => {
    if (!had || by_touch || document.activeElement !== document.body) return;
    const next = had.node.isConnected ? had.node : (had.id && document.getElementById(had.id)) || (had.place >= 0 && successor(had));
    (next || document.getElementById("message"))?.focus({ preventScroll: true });
    had = null;
  });
})();
