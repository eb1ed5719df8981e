import type { IssuedToken, TokenView } from "@keyloan/contract";
import type { Io } from "./io.ts";
import { momentText, relativeTime } from "./moments.ts";
import { note, printJson, say } from "./output.ts";

/** Prints a new token alone on stdout, so that `$(…)` gets the token and nothing else. */
export function showNewToken(io: Io, json: boolean, issued: IssuedToken): void {
  if (json) {
    printJson(io, issued);
    return;
  }
  say(io, issued.token);
  const { expiresAt } = issued;
  const until =
    expiresAt === undefined
      ? "It does not expire"
      : `It ends ${momentText(expiresAt)} (${relativeTime(expiresAt, io.now())})`;
  note(io, `This token is shown only once. ${until}. Its id: ${issued.id}`);
}

/** When a token ends, or that it has. */
export function tokenEnd(token: TokenView, now: number): string {
  if (token.revokedAt !== undefined) return "revoked";
  return token.expiresAt === undefined ? "never" : relativeTime(token.expiresAt, now);
}
