import type { Work } from "../state/key-work.tsx";
import { type Draft, isDirty } from "./check-draft.ts";
import type { Service } from "./services.ts";

export type CardState = "lent" | "not_checked" | "checking" | "works" | "needs_you";

/** The one word for a service: what is under way counts first, then what was typed, then what is saved. */
export function cardState({ binding }: Service, draft: Draft | undefined, work: Work): CardState {
  if (work.phase === "checking") return "checking";
  if (work.phase === "refused") return "needs_you";
  if (isDirty(draft)) return "not_checked";
  if (binding.saved === undefined) return binding.source === "org" ? "lent" : "needs_you";
  if (binding.saved.check.status === "valid") return "works";
  return binding.saved.check.status === "invalid" ? "needs_you" : "not_checked";
}
