// axe on a page as it is, and on one as it is served to browsers without script.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const source = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/// What pages are looked at in: the normal run takes two looks that differ in everything, NOTSO_LONG=1 all of them.
export const kLooks = ["light", "dark"].flatMap((colorScheme) => [1280, 360].map((width) => ({ colorScheme, width, what: `${colorScheme}, ${width} px` })))
  .filter(({ colorScheme, width }) => process.env.NOTSO_LONG || (colorScheme === "light") === (width === 1280));

let looked = 0;
process.on("exit", () => console.log(`axe looked ${looked} times`));

/// No violation of any rule that axe has, best practices included.
export async function assert_accessible(page, what) {
  ++looked;
  await page.evaluate(source);
  const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  const violations = found.violations.map((violation) =>
    `${violation.id}: ${violation.help}: ${violation.nodes.map((node) => node.target.join(" ")).join(" | ")}`);
  assert.deepEqual(violations, [], what);
}

/// Nothing sticks out to the side, once the page has come to rest.
export async function assert_fits(page, what) {
  const fits = () => document.documentElement.scrollWidth <= innerWidth;
  await page.waitForFunction(fits, undefined, { timeout: 5000 }).catch(() => {});
  const [content, window_width] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(content <= window_width, `${what}: ${content} px in a window of ${window_width} px`);
}

/// Both of them, of one state after the other in the same look. @param look  As messages call it.
export const checker = (page, look) => async (state) => {
  await assert_accessible(page, `${state}, ${look}`);
  await assert_fits(page, `${state}, ${look}`);
};

/// Pages of this context become those that browsers without script get: no script of ours, and what <noscript> has. Script
/// itself stays on, for axe: a page where it is off has no timers either, and axe waits for one for ever.
export async function serve_plain(context) {
  await context.route("**/*", async (route) => {
    if (route.request().resourceType() !== "document") return route.fallback();
    const response = await route.fetch();  // with redirects: what they lead to is not routed again
    if (!/text\/html/.test(response.headers()["content-type"] ?? "")) return route.fulfill({ response });
    const body = (await response.text()).replace(/<script\b[^>]*><\/script>/g, "").replace(/<\/?noscript>/g, "");
    return route.fulfill({ response, body });
  });
}
