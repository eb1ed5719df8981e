import { BrokerError, limits, newId, type SettingsView } from "@keyloan/contract";
import { type BuildRow, closesAt, type PersonRow, type StartOverRow, type Tables } from "@keyloan/store";
import { buildClosed } from "../../build-closed.ts";
import type { Unit } from "../../change.ts";
import type { Deps } from "../../deps.ts";
import { isoTime } from "../../iso-time.ts";
import { isDegraded } from "../audit/audit-standing.ts";
import { keepAliveUntil } from "../builds/keep-alive.ts";
import type { Visit } from "../handoff/visit.ts";
import { settingsView } from "../settings/views.ts";
import { startOverIn } from "./execute-start-over.ts";
import { heldUntil, isHeld } from "./person-view.ts";
import { mayWrite, personOnly, standingOf } from "./standing.ts";
import { tellStartOver } from "./tell-start-over.ts";

const visitMs = limits.sessionLifetimeSecondsMax * 1000;

/**
 * Asks to become the person of a build whose present one cannot be proven. It is done at once where nothing was
 * ever switched and nothing was saved for a day; else the present person has a day to refuse. While one waits, another asking
 * changes nothing.
 * @throws BrokerError `conflict` when there is nothing to start over, it is finished, or it was refused within a day or
 * withdrawn within an hour; `build_closed`
 */
export async function askStartOver(
  deps: Deps,
  visit: Visit,
  address: string | undefined,
): Promise<SettingsView> {
  const { session } = visit;
  const { id: sessionId, buildId } = session;
  // By an older copy of the store nobody ends: it may not know that this was refused.
  const mayEnd = !(await isDegraded(deps));
  const waitsUntil = await deps.change(visit, [buildId], async (tx) => {
    const build = await openBuild(tx, buildId);
    const { standing, person } = await standingOf(tx, session);
    if (mayWrite(standing)) throw nothingToStartOver();
    const newest = await tx.startOvers.findNewest(buildId);
    const now = deps.now();
    if (newest !== undefined && isHeld(newest, now)) throw justEnded(newest);
    let row = newest;
    if (row?.state !== "waiting") {
      row = {
        id: newId("startOver", deps.randomBytes),
        buildId,
        sessionId,
        address: address ?? null,
        state: "waiting",
        createdAt: now,
        dueAt: now + (await waitMs(tx, build, person, now)),
        endedAt: null,
      };
      await tx.startOvers.insert(row);
      tellStartOver(tx, row, "requested");
    }
    if (row.dueAt > now || !mayEnd) {
      if (row === newest) tx.unaudited(row);
      // Asking again renews nothing that lives long enough, or as long as it can.
      const lives = row === newest && (closesAt(build) ?? 0) >= Math.min(row.dueAt, build.renewableUntil);
      return lives ? undefined : row.dueAt;
    }
    // What is done at once is done here: else a switch could come in between.
    if (!(await startOverIn(deps, tx, row))) tx.unaudited(row);
    return undefined;
  });
  // A build that closed before would take with it what the present person saved, and what was asked for.
  if (waitsUntil !== undefined) await keepAliveUntil(deps, visit, buildId, waitsUntil + visitMs);
  return settingsView(deps, session);
}

/**
 * Ends one that waits: the present person refuses it, or who asked withdraws it.
 * @throws BrokerError `person_only` for anybody else; `conflict` when none waits, or its time is over
 */
export async function endStartOver(deps: Deps, visit: Visit): Promise<SettingsView> {
  const { session } = visit;
  const { id: sessionId, buildId } = session;
  await deps.change(visit, [buildId], async (tx) => {
    await openBuild(tx, buildId);
    const { standing } = await standingOf(tx, session);
    const row = await tx.startOvers.findNewest(buildId);
    if (row?.state !== "waiting") throw noneWaits();
    const state = standing === "you" ? "refused" : row.sessionId === sessionId ? "withdrawn" : undefined;
    if (state === undefined) throw personOnly(standing);
    if (state === "refused" && row.dueAt <= deps.now()) throw noneWaits();
    if (!(await tx.startOvers.end(row.id, state, deps.now()))) throw noneWaits();
    tellStartOver(tx, row, state);
  });
  return settingsView(deps, session);
}

/** Refuses one that waits, if any does, in the transaction after which nobody can start over. */
export async function refuseWaiting(deps: Pick<Deps, "now">, tx: Unit, buildId: string): Promise<void> {
  const row = await tx.startOvers.findNewest(buildId);
  if (row === undefined || !(await tx.startOvers.end(row.id, "refused", deps.now()))) return;
  tellStartOver(tx, row, "refused");
}

async function openBuild(tables: Tables, buildId: string): Promise<BuildRow> {
  const build = await tables.builds.find(buildId);
  if (build === undefined || build.state === "closing" || build.state === "closed") {
    throw buildClosed(build?.state ?? "closed");
  }
  if (build.state !== "handed_off") return build;
  throw new BrokerError("conflict", "the handoff is finished, so it is no longer possible to start over", {
    remedy: "Open the page in the browser in which the keys were saved, or enter the recovery code.",
  });
}

/** How long the present person can refuse. */
async function waitMs(
  tables: Tables,
  build: BuildRow,
  person: PersonRow | undefined,
  now: number,
): Promise<number> {
  const ms = limits.startOverWaitSeconds * 1000;
  // Once switched, always: who went back was told until when everything is kept.
  if (build.state === "handing_off") return ms;
  const saved = (await tables.userKeys.listByBuild(build.id)).map(({ savedAt }) => savedAt);
  const last = Math.max(person?.createdAt ?? 0, ...saved);
  return last + ms <= now ? 0 : ms;
}

function nothingToStartOver(): BrokerError {
  return new BrokerError("conflict", "nothing here belongs to somebody else", {
    remedy: "Continue: save your own keys, or change those you saved.",
  });
}

function justEnded(row: StartOverRow): BrokerError {
  if (row.state === "refused") {
    return new BrokerError("conflict", "the person who saved keys here refused it less than a day ago", {
      remedy: "Ask the tool that sent you the link.",
    });
  }
  const againAt = isoTime(heldUntil(row) ?? 0);
  return new BrokerError("conflict", "somebody asked for it and withdrew the request less than an hour ago", {
    remedy: `Ask again from ${againAt}.`,
    details: { againAt },
  });
}

function noneWaits(): BrokerError {
  return new BrokerError("conflict", "nobody is waiting to start over, or it is already done", {
    remedy: "Reload the page: it shows how it ended.",
  });
}
