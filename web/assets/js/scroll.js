// Keeps the newest text in view while the reader is at the end; leaves them alone once they scroll up.
(() => {
  const box = document.getElementById("scroll");
  const list = document.getElementById("messages");
  const jump = document.getElementById("jump");
  if (!box || !list || !jump) return;

  const kNearPx = 96;
  let follows = true;
  const at_end = () => box.scrollHeight - box.scrollTop - box.clientHeight < kNearPx;

  function to_end() {
    follows = true;
    box.scrollTop = box.scrollHeight;
    jump.hidden = true;
  }

  box.addEventListener("scroll", () => {
    follows = at_end();
    if (follows) jump.hidden = true;
  }, { passive: true });

  const on_size = () => {
    if (follows) to_end();
    else jump.hidden = at_end();
  };
  const observer = new ResizeObserver(on_size);
  observer.observe(list);
  observer.observe(box);

  jump.addEventListener("click", () => {
    to_end();
    document.getElementById("message")?.focus();
  });
  document.addEventListener("notso:sending", to_end);
})();
