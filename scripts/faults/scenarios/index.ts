import type { Scenario } from "../scenario.ts";
import { close, issue, renew, revoke } from "./build.ts";
import { archive, cancelTransfer, restore, transfer } from "./data.ts";
import { finish, firstSave, revert, startOver, swapKeys } from "./handoff.ts";
import { rotateLease, rotateOrgKey, rotateRootKey } from "./rotation.ts";

/** Everything that is killed in the middle. */
export const scenarios: readonly Scenario[] = [
  issue,
  renew,
  revoke,
  close,
  firstSave,
  startOver,
  swapKeys,
  revert,
  finish,
  rotateLease,
  rotateOrgKey,
  rotateRootKey,
  archive,
  restore,
  transfer,
  cancelTransfer,
];
