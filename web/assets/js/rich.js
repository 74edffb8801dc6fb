// Colours in code and drawn formulas. Their libraries are large, so each is fetched the first time that a finished block
// near the window has use for it; until then, and where that fails, code and the formula's source stand there.
(() => {
  const { code, math } = document.currentScript.dataset;
  const kinds = [
    { wanted: ".prose .code code[class]", address: code, library: null },
    { wanted: ".prose code.math", address: math, library: null },
  ];
  const kSliceMs = 12;
  const seen = new WeakSet();
  const waiting = [];
  let running = false;

  const kind_of = (node) => kinds[node.matches(".math") ? 1 : 0];
  const grows = (node) => node.closest(".assistant[aria-busy] .tail") !== null;

  const loaded = () => document.readyState === "complete" || new Promise((resolve) => addEventListener("load", resolve, { once: true }));

  /// Draws what waits, a little at a time; never before the page itself is there.
  async function run() {
    if (running) return;
    running = true;
    await loaded();
    while (waiting.length > 0) {
      const kind = kind_of(waiting[0]);
      kind.library ||= await import(kind.address).catch(() => ({ draw() {} }));
      const end = performance.now() + kSliceMs;
      while (waiting.length > 0 && kind_of(waiting[0]).library && performance.now() < end) {
        const node = waiting.shift();
        kind_of(node).library.draw(node);
      }
      await new Promise((resolve) => setTimeout(resolve));
    }
    running = false;
  }

  const near = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue;
      near.unobserve(target);
      waiting.push(target);
    }
    run();
  }, { root: document.getElementById("scroll"), rootMargin: "50%" });

  // An answer that has just ended takes the place of the one that was watched: what had colours gets them before it is shown.
  function look() {
    const last = Array.from(document.querySelectorAll("article.assistant")).at(-1);
    const end = performance.now() + kSliceMs;
    for (const { wanted, library } of kinds) {
      for (const node of document.querySelectorAll(wanted)) {
        if (seen.has(node) || grows(node)) continue;
        seen.add(node);
        if (library && last?.contains(node) && performance.now() < end) library.draw(node);
        else near.observe(node);
      }
    }
  }

  document.addEventListener("htmx:after:swap", look);
  look();
})();
