// Lighthouse on the empty page and on a chat with an answer, as a phone and as a desktop computer: tests/lighthouse/run.sh
// Prints the median of five runs of each category and fails below what is promised. It needs a machine that has nothing
// else to do; part of ./test.sh --long.
import { finished_answer, launch, open_page, send } from "../browser/browser.mjs";
import { start_program } from "../browser/program.mjs";
import lighthouse, { desktopConfig } from "lighthouse";

const kRuns = Number(process.env.NOTSO_LIGHTHOUSE_RUNS || 5);
const kPromised = { performance: 95, accessibility: 100, "best-practices": 100 };
const kPort = 9333;
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

async function ask_once(url) {
  const browser = await launch();
  const page = await open_page(browser, url);
  await send(page, "[think] [markdown]");
  await finished_answer(page);
  const address = page.url();
  await browser.close();
  return address;
}

/// What takes points from a category of a report.
function reasons(report, category) {
  return report.categories[category].auditRefs.map(({ id, weight }) => ({ audit: report.audits[id], weight }))
    .filter(({ audit, weight }) => weight > 0 && audit.score !== null && audit.score < 1)
    .map(({ audit }) => `${audit.id} ${audit.displayValue || ""} ${(audit.details?.items || []).slice(0, 2).map((item) => JSON.stringify(item).slice(0, 200)).join(" ")}`);
}

async function measure(url, config) {
  const scores = Object.fromEntries(Object.keys(kPromised).map((name) => [name, []]));
  const why = new Set();
  for (let run = 0; run < kRuns; ++run) {
    const { lhr } = await lighthouse(url, { port: kPort, logLevel: "error", onlyCategories: Object.keys(kPromised) }, config);
    if (lhr.runtimeError) throw new Error(lhr.runtimeError.message);
    for (const name of Object.keys(kPromised)) {
      scores[name].push(Math.round(lhr.categories[name].score * 100));
      if (lhr.categories[name].score * 100 < kPromised[name]) for (const reason of reasons(lhr, name)) why.add(`${name}: ${reason}`);
    }
  }
  return { scores: Object.fromEntries(Object.entries(scores).map(([name, values]) => [name, median(values)])), why };
}

const program = await start_program();
const browser = await launch([`--remote-debugging-port=${kPort}`]);
let failed = false;
try {
  for (const [page, url] of [["empty page", program.url], ["chat", await ask_once(program.url)]]) {
    for (const [device, config] of [["phone", undefined], ["desktop", desktopConfig]]) {
      const { scores, why } = await measure(url, config);
      console.log(`${page}, ${device}: ${Object.entries(scores).map(([name, score]) => `${name} ${score}`).join(", ")}`);
      for (const reason of why) console.log(`  ${reason}`);
      failed ||= Object.entries(kPromised).some(([name, least]) => scores[name] < least);
    }
  }
} finally {
  await browser.close();
  await program.stop();
}
process.exit(failed ? 1 : 0);
