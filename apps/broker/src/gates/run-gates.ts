import type { GateResult } from "@keyloan/contract";
import { browserNames } from "./browser-names.ts";
import { durableDatabase } from "./durable-database.ts";
import { envFiles } from "./env-files.ts";
import type { Gate, GateInput } from "./gate.ts";
import { keysChecked } from "./keys-checked.ts";
import { matchingPairs } from "./matching-pairs.ts";
import { noneOurs } from "./none-ours.ts";
import { oneMode } from "./one-mode.ts";
import { publicAddress } from "./public-address.ts";
import { requiredVariables } from "./required-variables.ts";
import { rightShapes } from "./right-shapes.ts";
import { webhookSecret } from "./webhook-secret.ts";

export type { GateConnector, GateInput } from "./gate.ts";

/** Every gate, in the order a user would fix things. */
export const gates: readonly Gate[] = [
  requiredVariables,
  rightShapes,
  matchingPairs,
  noneOurs,
  keysChecked,
  oneMode,
  webhookSecret,
  publicAddress,
  browserNames,
  envFiles,
  durableDatabase,
];

/**
 * Asks every gate about the keys as they would be after a swap. Each gives one `pass`, or what it found; a gate
 * that breaks gives a `fail`, because what cannot be checked must not go live. Never throws.
 * @param asked default: every gate
 */
export async function runGates(input: GateInput, asked: readonly Gate[] = gates): Promise<GateResult[]> {
  return (await Promise.all(asked.map((gate) => askGate(gate, input)))).flat();
}

async function askGate(gate: Gate, input: GateInput): Promise<GateResult[]> {
  try {
    const findings = await gate.ask(input);
    if (findings.length > 0) return findings.map((finding) => ({ gate: gate.name, ...finding }));
    return [{ gate: gate.name, status: "pass", message: gate.passed }];
  } catch (error) {
    input.onMistake?.(gate.name, error);
    return [
      {
        gate: gate.name,
        status: "fail",
        message: "One of our own checks failed to run, so nothing was changed.",
        remedy: "Try again in a minute; if it still fails, tell the person who sent you the link.",
      },
    ];
  }
}
