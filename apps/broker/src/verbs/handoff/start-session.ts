import { limits, newId, type Secret } from "@keyloan/contract";
import type { BuildRow, PersonRow, SessionRow, Tables } from "@keyloan/store";
import { createSubmissionKeyPair, sealValue } from "@keyloan/vault";
import { isVisitOver } from "../../auth/sessions.ts";
import { hashToken } from "../../auth/tokens.ts";
import { buildClosed } from "../../build-closed.ts";
import type { Deps } from "../../deps.ts";
import { sealingContexts } from "../../sealing/contexts.ts";
import { withOpenKey } from "../../sealing/data-key.ts";
import { type Browser, knownAs, rememberBrowser } from "../person/become-person.ts";
import { personOnly } from "../person/standing.ts";

/** By what right a visit is opened. */
export type Opener =
  | { readonly by: "link"; readonly handoffId: string }
  | { readonly by: "identity"; readonly identity: string }
  | { readonly by: "browser" }
  | { readonly by: "recovery"; readonly recoveryHash: string };

/** What a request to open a visit brings with it. */
export type Visitor = {
  readonly browser: Browser | undefined;
  /** The visits that the browser has open, by build. */
  readonly sessions: ReadonlyMap<string, string>;
  readonly address: string | undefined;
};

export type StartedSession = {
  readonly session: SessionRow;
  readonly cookie: Secret;
  /** Builds whose visits in this browser have ended with it. */
  readonly ended: readonly string[];
  readonly personCookie?: Secret;
};

/**
 * A visit of a build's settings page. What the browser or the opener proves is found out in the same transaction.
 * @returns `undefined` when the link was used meanwhile, or the recovery code replaced
 * @throws BrokerError `person_only` where only the person gets in; the link is not used up then. `build_closed`
 */
export async function startSession(
  deps: Deps,
  buildId: string,
  opener: Opener,
  visitor: Visitor,
  requestId: string,
): Promise<StartedSession | undefined> {
  const { token, hash } = deps.tokens.make("session");
  const pair = createSubmissionKeyPair();
  const now = deps.now();
  const id = newId("session", deps.randomBytes);
  const actor = { kind: "session", sessionId: id, buildId } as const;
  return deps.change({ actor, requestId }, [buildId], async (tx) => {
    const build = await tx.builds.find(buildId);
    const dataKey = await tx.dataKeys.findByOwner(buildId);
    if (build === undefined || dataKey === undefined) throw buildClosed("closed");
    const person = await tx.persons.findByBuild(buildId);
    if (opener.by === "recovery" && person?.recoveryHash !== opener.recoveryHash)
      return tx.unaudited(undefined);
    const known = await knownAs(deps, tx, visitor.browser, buildId);
    const isPerson = person !== undefined && proves(person, opener, known);
    if (visitor.browser !== undefined) await tx.persons.useBrowser(visitor.browser.hash, now);
    const isOnlyForPerson = opensForPersonOnly(build) || opener.by === "browser";
    if (isOnlyForPerson && !isPerson) throw personOnly();
    if (opener.by === "link" && !(await tx.handoffs.markUsed(opener.handoffId, now)))
      return tx.unaudited(undefined);
    const byBrowser = opener.by === "link" && isPerson;
    const session: SessionRow = {
      id,
      buildId,
      hash,
      sealingKey: pair.publicKey,
      openingKey: withOpenKey(deps, dataKey, (key) =>
        sealValue(key, sealingContexts.sessionKey(buildId, id), pair.privateKey),
      ),
      createdAt: now,
      lastUsedAt: now,
      expiresAt: now + limits.sessionIdleSeconds * 1000,
      endedAt: null,
      openedBy: byBrowser ? "browser" : opener.by,
      identity: opener.by === "identity" ? opener.identity : null,
      // The person from before a start over learns of it.
      personId: isPerson ? person.id : (known.find(({ ending }) => ending !== null)?.id ?? null),
      address: visitor.address ?? null,
    };
    const ended = await endOldest(tx, visitor.sessions, buildId, now);
    await tx.sessions.endOldestOf(session, limits.visitsPerPersonMax - 1, now);
    await tx.sessions.insert(session);
    const { by, ...rest } = opener;
    tx.audit("session.opened", buildId, { by, ...("recoveryHash" in rest ? {} : rest), isPerson });
    if (opener.by !== "recovery" || !isPerson) return { session, cookie: token, ended };
    const personCookie = await rememberBrowser(deps, tx, person.id, visitor.browser);
    return { session, cookie: token, ended, personCookie };
  });
}

function proves(person: PersonRow, opener: Opener, known: readonly PersonRow[]): boolean {
  return (
    opener.by === "recovery" ||
    (opener.by === "identity" && opener.identity === person.identity) ||
    known.some(({ id }) => id === person.id)
  );
}

/** Ends the visit that the new one takes the place of, and the oldest when a browser has too many. */
async function endOldest(
  tables: Tables,
  texts: ReadonlyMap<string, string>,
  buildId: string,
  now: number,
): Promise<string[]> {
  const rows = await tables.sessions.listByHashes([...texts.values()].map(hashToken));
  const alive = rows.filter((row) => !isVisitOver(row, now));
  // One that has ended, or of which nothing is known here, goes first.
  const openedAt = (id: string) => alive.find((row) => row.buildId === id)?.createdAt ?? 0;
  const others = [...texts.keys()].filter((id) => id !== buildId);
  const tooMany = others
    .toSorted((a, b) => openedAt(a) - openedAt(b))
    .slice(0, Math.max(0, others.length + 1 - limits.sessionsPerBrowserMax));
  for (const row of rows) {
    if (row.buildId === buildId || tooMany.includes(row.buildId)) {
      await tables.sessions.end(row.id, row.buildId, now);
    }
  }
  return tooMany;
}

/** Whether no link is enough any more: the handoff is finished. */
export function opensForPersonOnly({ state }: Pick<BuildRow, "state">): boolean {
  return state === "handed_off";
}
