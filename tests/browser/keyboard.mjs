// A person who has a keyboard only: what the focus is on, whether it can be seen, and the way to the next control.
import assert from "node:assert/strict";

/// Runs in the browser. What has the focus, and what is wrong with how it shows.
function focused() {
  const node = document.activeElement;
  // Fields without a border of their own show the focus on what is around them.
  const shows = node.closest(".composer:has(#message:focus), .attach:focus-within") || node;
  const style = getComputedStyle(shows);
  const box = shows.getBoundingClientRect();
  const wrong = [];
  if (node === document.body) wrong.push("nothing has the focus");
  if (style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 2) wrong.push("no ring");
  const middle = [Math.min(Math.max(box.left + box.width / 2, 0), innerWidth - 1), Math.min(Math.max(box.top + Math.min(box.height / 2, 20), 0), innerHeight - 1)];
  const over = document.elementFromPoint(...middle);
  if (!over || !(shows.contains(over) || over.contains(shows))) wrong.push(`hidden behind ${over?.outerHTML.slice(0, 80)}`);
  const region = node.closest("#commands, .menu, dialog, #sidebar, header.bar, #scroll, .scroll, #dock, .banner, .skip");
  const name = node.getAttribute("aria-label") || node.labels?.[0]?.innerText || node.innerText || node.id || node.localName;
  return { what: `${node.localName}${node.id ? `#${node.id}` : ""} "${name.trim().slice(0, 60)}"`, wrong, region: region?.id || region?.className || node.localName };
}

/// What has the focus; fails where it can't be seen.
export async function assert_focus_shows(page) {
  const now = await page.evaluate(focused);
  assert.deepEqual(now.wrong, [], `${now.what} on ${page.url()}`);
  return now;
}

const matches = (page, selector) => page.evaluate((wanted) => document.activeElement.matches(wanted), selector);

/// Presses Tab (Shift+Tab) until what fits has the focus, which must show on each stop. @param text  Part of its name.
export async function tab_to(page, selector, { back = false, most = 120, text = "" } = {}) {
  const way = [];
  for (let i = 0; i < most; ++i) {
    const now = i === 0 ? await page.evaluate(focused) : await assert_shows_or_edge(page);
    way.push(now.what);
    if (await matches(page, selector) && now.what.includes(text)) return now;
    await page.keyboard.press(back ? "Shift+Tab" : "Tab");
  }
  return assert.fail(`Tab does not reach ${selector} ${text}: ${way.join(" | ")}`);
}

/// Between the last control and the first one the focus is in the browser's own controls.
async function assert_shows_or_edge(page) {
  const now = await page.evaluate(focused);
  return now.wrong[0] === "nothing has the focus" ? now : assert_focus_shows(page);
}

/// Goes there and presses a key, Enter without another.
export async function activate(page, selector, { key = "Enter", ...options } = {}) {
  await tab_to(page, selector, options);
  await page.keyboard.press(key);
}

/// After something took the place of what had the focus: it is somewhere that can be seen. @param selector  And there.
export async function assert_kept(page, selector = "*") {
  await page.waitForFunction((wanted) => document.activeElement !== document.body && document.activeElement.matches(wanted), selector, { timeout: 5000 })
    .catch(async () => assert.fail(`the focus is on ${(await page.evaluate(focused)).what}, not on ${selector}`));
  await assert_focus_shows(page);
}

/// Writes down whenever nothing has the focus after a swap; page.lost is what was found.
export async function watch_focus(page) {
  page.lost = [];
  await page.exposeFunction("focus_lost", (where) => { page.lost.push(where); });
  await page.addInitScript(() => {
    document.addEventListener("DOMContentLoaded", () => {
      document.addEventListener("htmx:after:swap", (event) => {
        const source = event.detail?.ctx?.sourceElement;
        const text = source?.id || source?.className;
        setTimeout(() => {
          if (document.hasFocus() && document.activeElement === document.body) globalThis.focus_lost(`after a swap of ${text}`);
        });
      });
    });
  });
}

/// Every stop of Tab from the top of the page to its end, by region. Each must show.
export async function walk(page, most = 200) {
  const stops = [];
  await page.evaluate(() => { document.activeElement.blur(); getSelection().removeAllRanges(); });
  await page.evaluate(() => { document.body.tabIndex = -1; document.body.focus(); document.body.removeAttribute("tabindex"); });
  for (let i = 0; i < most; ++i) {
    await page.keyboard.press("Tab");
    const now = await page.evaluate(focused);
    if (now.wrong[0] === "nothing has the focus") return stops;
    await assert_focus_shows(page);
    const place = await page.evaluate(() => {
      const node = document.activeElement;
      const all = Array.from(document.querySelectorAll("*"));
      const region = node.closest("#messages, #after, #history, #dock, header.bar, #sidebar, .log");
      const home = (region?.firstElementChild || document.body).getBoundingClientRect();
      const box = node.getBoundingClientRect();
      return { order: all.indexOf(node), region: region?.id || region?.className || "page", top: box.top - home.top, left: box.left - home.left, bottom: box.bottom - home.top };
    });
    if (stops.length > 0 && place.order === stops[0].order) return stops;  // round again
    stops.push({ ...now, ...place });
  }
  return assert.fail(`more than ${most} stops`);
}

/// Stops come in the order of the document, and within a region down the page, in a line from left to right.
export function assert_reading_order(stops) {
  for (const [i, stop] of stops.entries()) {
    const before = stops[i - 1];
    if (!before) continue;
    assert.ok(stop.order > before.order, `${before.what}, then ${stop.what}: not the order of the document`);
    if (stop.region !== before.region) continue;
    const above = stop.bottom <= before.top + 1;
    const same_line = stop.top < before.bottom - 1 && stop.bottom > before.top + 1;
    assert.ok(!above, `${before.what}, then ${stop.what}: upwards`);
    assert.ok(!same_line || stop.left >= before.left - 1, `${before.what}, then ${stop.what}: to the left`);
  }
}
