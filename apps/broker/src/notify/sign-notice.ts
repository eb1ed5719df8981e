import { createHmac } from "node:crypto";
import type { Secret } from "@keyloan/contract";

const secretPrefix = "whsec_";

/**
 * The headers by which a receiver knows the sender ("Standard Webhooks", signature scheme `v1`): HMAC-SHA256
 * over `id.timestamp.body`. A secret that starts with `whsec_` is base64 after it, as that standard has it;
 * any other text is the key as it is. Without a secret nothing is signed.
 */
export function noticeHeaders(
  id: string,
  sentAtMs: number,
  body: string,
  secret: Secret | undefined,
): Record<string, string> {
  const timestamp = String(Math.floor(sentAtMs / 1000));
  const unsigned = { "webhook-id": id, "webhook-timestamp": timestamp };
  if (secret === undefined) return unsigned;
  const signature = createHmac("sha256", keyOf(secret)).update(`${id}.${timestamp}.${body}`).digest("base64");
  return { ...unsigned, "webhook-signature": `v1,${signature}` };
}

function keyOf(secret: Secret): Buffer {
  const text = secret.reveal();
  return text.startsWith(secretPrefix)
    ? Buffer.from(text.slice(secretPrefix.length), "base64")
    : Buffer.from(text, "utf8");
}
