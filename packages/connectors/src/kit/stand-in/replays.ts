import { createHash } from "node:crypto";
import type { Context } from "hono";
import { Refused } from "./stand-in.ts";

type Kept = { readonly fingerprint: string; readonly status: number; readonly body: string };
type Replay = readonly [status: number, body: string, headers: Readonly<Record<string, string>>];

/**
 * The first answer of each idempotency key. Repeating the request replays that answer; a different request with the
 * same key is an error (Stripe API, "Idempotent requests").
 */
export function createReplays() {
  const answers = new Map<string, Kept>();
  const keyOf = ({ req }: Context): string | undefined => {
    const key = req.method === "POST" ? req.header("idempotency-key") : undefined;
    return key === undefined ? undefined : `${req.header("authorization")} ${key}`;
  };
  const fingerprintOf = ({ req }: Context, text: string) =>
    createHash("sha256").update(`${req.path}\n${text}`).digest("hex");
  return {
    find: (context: Context, text: string): Replay | Refused | undefined => {
      const key = context.req.header("idempotency-key") ?? "";
      if (key.length > 255) return new Refused(400, { code: "idempotency_key_too_long" });
      const kept = answers.get(keyOf(context) ?? "");
      if (kept === undefined) return undefined;
      return kept.fingerprint === fingerprintOf(context, text)
        ? [kept.status, kept.body, { "idempotent-replayed": "true" }]
        : new Refused(400, { code: "idempotency_key_in_use", key });
    },
    keep: (context: Context, text: string, status: number, body: string): void => {
      const key = keyOf(context);
      if (key !== undefined) answers.set(key, { fingerprint: fingerprintOf(context, text), status, body });
    },
  };
}
