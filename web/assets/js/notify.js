// A notification when an answer is ready in a page that nobody looks at: off until somebody asks for it in the chat's menu.
(() => {
  const box = document.getElementById("notify");
  if (!box || !("Notification" in window)) return box?.closest("label").remove();

  const kKey = "notify";
  const wanted = () => { try { return localStorage.getItem(kKey) === "1"; } catch { return false; } };
  const allowed = () => Notification.permission === "granted";
  box.checked = wanted() && allowed();

  box.addEventListener("change", async () => {
    if (box.checked && !allowed()) box.checked = await Notification.requestPermission() === "granted";
    try { localStorage.setItem(kKey, box.checked ? "1" : "0"); } catch { /* it holds for this page only */ }
    const announcer = document.getElementById("announcer");
    if (announcer && Notification.permission === "denied") announcer.textContent = say("The browser does not allow notifications here");
  });

  document.addEventListener("turn-end", async (event) => {
    if (!document.hidden || !box.checked || !allowed()) return;
    const said = [event.detail?.data || say("Answer ready"), { body: document.getElementById("title")?.textContent, tag: location.pathname }];
    try {
      new Notification(...said).onclick = () => focus();
    } catch {  // phones have them through the service worker only
      (await navigator.serviceWorker?.ready)?.showNotification(...said);
    }
  });
})();
