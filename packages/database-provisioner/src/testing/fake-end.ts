import { createHash } from "node:crypto";
import type { ConnectorContext } from "@keyloan/contract";

/** What a fake end does wrong: each function is called before the step of its name. */
export type Trouble = Partial<Record<string, () => unknown>>;

export const sha256 = (text: string | Uint8Array) => createHash("sha256").update(text).digest("hex");

export function fakeContext(signal: AbortSignal = new AbortController().signal): ConnectorContext {
  return {
    fetch: () => Promise.reject(new Error("the engine calls nobody")),
    signal,
    now: Date.now,
    randomBytes: (size) => new Uint8Array(size),
  };
}
