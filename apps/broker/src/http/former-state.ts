import { formerStates } from "@keyloan/contract";
import type { BrokerContext } from "./context.ts";

/** Tells a caller who asked for a state by the word of the version before. */
export function warnOfFormerState(context: BrokerContext): void {
  const asked = context.req.query("state") ?? "";
  const state = formerStates[asked];
  if (state !== undefined) context.header("warning", `299 - "the state ${asked} is now called ${state}"`);
}
