import type { Scenario } from "../scenario.ts";
import { close, issue, renew } from "./build.ts";
import { finish, revert, swapKeys } from "./handoff.ts";

/** Everything that is killed in the middle. */
export const scenarios: readonly Scenario[] = [issue, renew, close, swapKeys, revert, finish];
