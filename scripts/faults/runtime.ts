import { pointFunction } from "./point-function.ts";
import type { FaultCommand, Point } from "./points.ts";

// Loaded before the instrumented broker: its clock can be moved, and it dies where it is told to.
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
    case "spare":
      target = undefined;
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
