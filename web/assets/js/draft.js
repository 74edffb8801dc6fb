// Sends what is being typed, in the pauses, so that a local model that has nothing else to do reads it ahead. The server
// says where (data-drafts) when it does that; it keeps nothing of it.
(() => {
  const form = document.getElementById("composer");
  const input = document.getElementById("message");
  const address = form?.dataset.drafts;
  if (!address || !input) return;

  const kPauseMs = 1500;
  const kNewCharacters = 40;
  let sent = "";
  let timer = 0;

  function new_characters(text) {
    let same = 0;
    while (same < text.length && text[same] === sent[same]) ++same;
    return text.length - same;
  }

  function send() {
    const text = input.value;
    const ready = document.getElementById("model-badge")?.dataset.state === "ready";
    if (!ready || document.getElementById("stop-button") || new_characters(text) < kNewCharacters) return;
    sent = text;
    const body = new URLSearchParams({ message: text });
    if (document.getElementById("thinking")?.checked) body.set("thinking", "1");
    for (const file of form.querySelectorAll("#files input")) body.set(file.name, file.value);
    fetch(address, { method: "POST", body, priority: "low" }).catch(() => {});
  }

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(send, kPauseMs);
  });
  document.addEventListener("notso:sending", () => {
    clearTimeout(timer);
    sent = "";
  });
})();
