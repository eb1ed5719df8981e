import { ProviderError } from "@keyloan/contract";
import * as z from "zod";
import { parseJson } from "../kit/http.ts";

/**
 * A token's life in Turso's notation, such as `1d2h30m`, rounded up to whole minutes.
 * Never empty and never `never`, which is what the API takes for granted when nothing is sent.
 * @throws ProviderError `rejected` when the lease has ended already
 */
export function toExpiration(expiresAt: number, now: number): string {
  const minutes = Math.ceil((expiresAt - now) / 60_000);
  if (!(minutes > 0)) {
    throw new ProviderError("turso", "rejected", "was not asked: the lease has ended", {
      remedy: "Renew the build before it ends, or make a new one.",
    });
  }
  const parts = [
    [Math.floor(minutes / 1440), "d"],
    [Math.floor(minutes / 60) % 24, "h"],
    [minutes % 60, "m"],
  ] as const;
  return parts
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count}${unit}`)
    .join("");
}

/** When a database token says that it ends. Tokens need no form that we know: what cannot be read is silent. */
export function tokenWarnings(token: string): string[] {
  const claims = claimsSchema.safeParse(
    parseJson(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()),
  );
  if (!claims.success) return [];
  const end = new Date(claims.data.exp * 1000).toISOString().slice(0, 10);
  return [`The token expires on ${end}: from then on the app has no database.`];
}

const claimsSchema = z.object({ exp: z.number().int().min(0).max(253_402_300_799) });
