import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";
import { instrumentSource, pointFunction } from "./instrument-source.ts";
import type { FaultCommand, Point } from "./points.ts";

// Loaded before the broker: every module that acts for it is instrumented, and its clock can be moved.
const root = fileURLToPath(new URL("../../", import.meta.url));
const instrumented = [
  "apps/broker/src/verbs/",
  "apps/broker/src/jobs/runner.ts",
  "apps/broker/src/jobs/backoff.ts",
  "packages/archive-store/src/",
  "packages/connectors/src/",
  "packages/database-provisioner/src/",
  "packages/org-keys/src/",
  "packages/store/src/group-writer.ts",
];
const standIns = /\/emulator[^/]*\.ts$|\/testing\/|\.test\.ts$/;

registerHooks({
  load: (url, context, next) => {
    const loaded = next(url, context);
    if (!url.startsWith("file:") || !url.endsWith(".ts")) return loaded;
    const label = fileURLToPath(url).slice(root.length);
    if (!instrumented.some((part) => label.startsWith(part)) || standIns.test(label)) return loaded;
    return { format: "module", source: instrumentSource(String(loaded.source), label) };
  },
});

const realNow = Date.now;
let offsetMs = 0;
Date.now = () => realNow() + offsetMs;

let passes: Map<string, number> | undefined;
let target: Point | undefined;

function isTarget(place: string, pass: number, moment: Point["moment"]): boolean {
  return target?.place === place && target.pass === pass && target.moment === moment;
}

// SIGKILL reaches this thread before the next line runs: nothing is flushed, closed or told.
const die = () => process.kill(process.pid, "SIGKILL");

Object.assign(globalThis, {
  [pointFunction]: async (place: string, awaited: unknown): Promise<unknown> => {
    if (passes === undefined) return awaited;
    const pass = (passes.get(place) ?? 0) + 1;
    passes.set(place, pass);
    if (isTarget(place, pass, "begun")) die();
    try {
      return await awaited;
    } finally {
      if (isTarget(place, pass, "done")) die();
    }
  },
});

process.on("message", (message: FaultCommand) => {
  switch (message.fault) {
    case "record":
      passes = new Map();
      break;
    case "kill_at":
      passes = new Map();
      target = message.point;
      break;
    case "advance":
      offsetMs += message.ms;
      break;
    case "list":
      process.send?.({ fault: "points", passes: Object.fromEntries(passes ?? []) });
      return;
    default:
      return;
  }
  process.send?.({ fault: "ready" });
});
