import { accessSync, constants } from "node:fs";
import { chromiumPath } from "./env.ts";

const places = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/**
 * The system's browser; `undefined` when there is none.
 * @param named looked at instead of the usual places, default what `CHROMIUM_PATH` names; empty means that no browser is wanted
 * @throws Error when `named` cannot be run
 */
export function findChromium(named = chromiumPath()): string | undefined {
  if (named === "") return undefined;
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
