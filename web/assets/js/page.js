// What every page does once script runs: the colour switch and fallbacks for older browsers.
// Nothing here is needed to read or send; see docs/ui_ux_interaction.md.
// What js/ says in the page's language: the server gives the texts (web/assets/texts), keyed by the English ones.
const texts = JSON.parse(document.querySelector('meta[name="notso-texts"]')?.content || "{}");
const say = (english) => texts[english] ?? english;

(() => {
  const root = document.documentElement;
  root.classList.add("js");

  const themes = ["system", "light", "dark"];
  const labels = { system: say("Colours: as the system"), light: say("Colours: light"), dark: say("Colours: dark") };
  const current_theme = () => root.dataset.theme || "system";

  function set_theme(theme) {
    if (theme === "system") delete root.dataset.theme;
    else root.dataset.theme = theme;
    document.cookie = `theme=${theme}; path=/; max-age=31536000; samesite=lax`;
    fetch("/settings/theme", { method: "POST", body: new URLSearchParams({ theme }), keepalive: true }).catch(() => {});
    label_toggle();
  }

  function label_toggle() {
    const toggle = document.getElementById("theme-toggle");
    if (!toggle) return;
    toggle.setAttribute("aria-label", labels[current_theme()]);
    toggle.title = labels[current_theme()];
  }

  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("#theme-toggle")) return;
    set_theme(themes[(themes.indexOf(current_theme()) + 1) % themes.length]);
  });

  // The installed app says that the server is away; see js/worker. Refused where the page is not secure.
  navigator.serviceWorker?.register("/worker.js").catch(() => {});

  label_toggle();
})();
