// Draws the app's icons from web/assets/img/icon.svg, after that was changed:  node tests/browser/icons.mjs
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { launch } from "./browser.mjs";

const folder = join(import.meta.dirname, "../../web/assets/img");
const svg = readFileSync(join(folder, "icon.svg"), "utf8");
// A mask may cut a fifth off each side: there the ground goes to the edges, and the mark is smaller.
const mark = svg.replace(/<rect[^>]*>/, '<rect width="24" height="24" fill="#5f27cd"/><g transform="translate(3.6 3.6) scale(.7)">').replace("</svg>", "</g></svg>");

const browser = await launch();
for (const [name, size, drawn] of [["icon-192", 192, svg], ["icon-512", 512, svg], ["icon-maskable", 512, mark]]) {
  const page = await browser.newPage({ viewport: { width: size, height: size } });
  await page.setContent(`<style>body { margin: 0 } svg { display: block; width: ${size}px }</style>${drawn}`);
  await page.screenshot({ path: join(folder, `${name}.png`), omitBackground: true });
  await page.close();
}
await browser.close();
