import { readRecoveryCode } from "@keyloan/contract";
import type { ReadToken, Tokens } from "../auth/tokens.ts";

/** The code in a body of `POST /v1/session`, of a link or for recovery; `undefined` when it has none, or one made up. */
export function readOpener(tokens: Pick<Tokens, "read">, body: unknown): ReadToken | undefined {
  if (typeof body !== "object" || body === null) return undefined;
  if ("code" in body && typeof body.code === "string") return tokens.read(body.code, ["handoff"]);
  if (!("recovery" in body) || typeof body.recovery !== "string") return undefined;
  return tokens.read(readRecoveryCode(body.recovery) ?? "", ["recovery"]);
}
