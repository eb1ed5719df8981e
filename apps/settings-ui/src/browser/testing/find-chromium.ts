import { accessSync, constants } from "node:fs";

const places = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/** The system's browser, or the one that `CHROMIUM_PATH` names; `undefined` when there is none. */
export function findChromium(): string | undefined {
  const named = process.env.CHROMIUM_PATH;
  const found = (named === undefined ? places : [named]).find(canRun);
  if (named !== undefined && found === undefined) throw new Error(`CHROMIUM_PATH=${named} cannot be run`);
  return found;
}

function canRun(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
