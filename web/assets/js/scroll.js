// Keeps the newest text in view while the reader is at the end; leaves them alone once they scroll up.
(() => {
  const box = document.getElementById("scroll");
  const list = document.getElementById("messages");
  const jump = document.getElementById("jump");
  if (!box || !list || !jump) return;

  const kNearPx = 96;
  let follows = true;
  let last_top = 0;
  const at_end = () => box.scrollHeight - box.scrollTop - box.clientHeight < kNearPx;

  function to_end() {
    follows = true;
    box.scrollTop = box.scrollHeight;
    jump.hidden = true;
  }

  // Only a way up is the reader's own: by the time that our scroll to the end is told, more text may stand below it.
  box.addEventListener("scroll", () => {
    if (at_end()) follows = true;
    else if (box.scrollTop < last_top) follows = false;
    last_top = box.scrollTop;
    jump.hidden = follows;
  }, { passive: true });

  // What an address names is what the reader came for.
  const named = /^#m-/.test(location.hash) && document.getElementById(location.hash.slice(1));
  if (named) {
    follows = false;
    named.scrollIntoView({ block: "start" });
  } else if (document.querySelector(".pages:last-of-type:not(#earlier)")) {
    follows = false;
  }

  // Messages that come in above leave what is read where it is.
  let kept = null;
  document.addEventListener("htmx:before:swap", (event) => {
    if (event.detail?.ctx?.sourceElement?.parentElement?.id !== "earlier") return;
    const first = list.querySelector("[data-message]");
    kept = { first, top: first.getBoundingClientRect().top };
  });
  document.addEventListener("htmx:after:swap", () => {
    if (!kept) return;
    const { first, top } = kept;
    kept = null;
    follows = false;
    const hold = () => { box.scrollTop += first.getBoundingClientRect().top - top; };
    hold();
    requestAnimationFrame(hold);
    (document.querySelector("#earlier a") || first.querySelector("a, button"))?.focus({ preventScroll: true });
  });

  const greets = () => document.getElementById("greeting") !== null;
  const on_size = () => {
    if (follows && !greets()) to_end();
  };
  const observer = new ResizeObserver(on_size);
  observer.observe(list);
  observer.observe(box);
  const after = document.getElementById("after");
  if (after) observer.observe(after);

  jump.addEventListener("click", () => {
    to_end();
    document.getElementById("message")?.focus();
  });
  document.addEventListener("notso:sending", to_end);
})();
