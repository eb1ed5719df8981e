import type { Actor } from "@keyloan/contract";
import type { Tables } from "@keyloan/store";
import { mayWrite, standingOf } from "./person/standing.ts";

/** Whether a caller may have what an app stored, and so learn the names in it: of tables and of files. */
export async function mayNameContent(
  tables: Pick<Tables, "sessions" | "persons" | "userKeys">,
  actor: Actor,
): Promise<boolean> {
  if (actor.kind === "admin") return true;
  if (actor.kind === "platform") return actor.scopes.includes("builds:write");
  if (actor.kind !== "session") return false;
  const session = await tables.sessions.find(actor.sessionId);
  return session !== undefined && mayWrite((await standingOf(tables, session)).standing);
}

/** A text about what an app stored, without the names in it: those are quoted. */
export function withoutNames(text: string): string {
  const [from, to] = [text.indexOf('"'), text.lastIndexOf('"')];
  return from === to ? text : `${text.slice(0, from)}"…"${text.slice(to + 1)}`;
}
