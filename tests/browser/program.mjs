// Starts the program under test on a free port with a data directory of its own.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";

const kStartMs = 60000;

/// The model that the page's main job is tested with; undefined when it was never fetched.
export function real_model() {
  const cache = process.env.NOTSO_CACHE || join(homedir(), ".cache/notso");
  const candidates = [process.env.NOTSO_TEST_MODEL, join(cache, "models/SmolLM2-135M-Instruct.Q4_1.gguf")];
  return candidates.find((path) => path && existsSync(path));
}

/// @param options.args  More arguments of `notso serve`; the default is the scripted stub.
/// @param options.wait  Until a message would be answered; false where the model is meant to fail.
/// @returns {url, stop()}; stop() ends the program and removes its data.
export async function start_program({ args = ["--backend", "stub"], data_dir, wait = true } = {}) {
  const folder = data_dir || mkdtempSync(join(tmpdir(), "notso-browser-"));
  const child = spawn(process.env.NOTSO_BIN, ["serve", "--port", "0", "--data-dir", folder, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let log = "";
  child.stderr.on("data", (bytes) => { log += bytes; });
  const url = await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no address after ${kStartMs} ms: ${log}`)), kStartMs);
    child.stdout.on("data", (bytes) => {
      const found = String(bytes).match(/http:\/\/\S+/);
      if (!found) return;
      clearTimeout(timer);
      resolve(found[0].replace(/\/$/, ""));
    });
    child.on("exit", (code) => reject(new Error(`the program ended with ${code}: ${log}`)));
  });
  if (wait) await ready(url);
  return {
    url,
    folder,
    async stop({ keep = false, signal = "SIGTERM" } = {}) {
      const gone = new Promise((resolve) => child.once("exit", resolve));
      child.kill(signal);
      await gone;
      if (!keep) rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function ready(url) {
  const end = Date.now() + kStartMs;
  while (Date.now() < end) {
    const response = await fetch(`${url}/readyz`).catch(() => null);
    if (response?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("the program is not ready");
}
