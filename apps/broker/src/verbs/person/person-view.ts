import { limits, type PersonView, type StartOverView } from "@keyloan/contract";
import { isOver, type PersonRow, type SessionRow, type StartOverRow } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { isoTime } from "../../iso-time.ts";
import { standingOf } from "./standing.ts";

/** Who a session is to its build, as the page shows it. */
export async function personView(
  deps: Pick<Deps, "store" | "now">,
  session: SessionRow,
): Promise<PersonView> {
  const { read } = deps.store;
  const { standing, person } = await standingOf(read, session);
  const asked = await read.startOvers.findNewest(session.buildId);
  const startOver = asked === undefined ? undefined : startOverView(asked, session, standing, deps.now());
  const was =
    session.personId === null || session.personId === person?.id
      ? undefined
      : await read.persons.find(session.personId);
  return {
    standing,
    ...(person === undefined ? {} : { since: isoTime(person.createdAt) }),
    ...(person === undefined || standing !== "you" ? {} : { tokensMay: person.allows }),
    ...(startOver === undefined ? {} : { startOver }),
    ...(was === undefined ? {} : replacedView(was)),
  };
}

/** One that waits is shown to everybody; how it ended to who asked, and to all it keeps out, as long as it does. */
function startOverView(
  row: StartOverRow,
  session: SessionRow,
  standing: PersonView["standing"],
  now: number,
): StartOverView | undefined {
  const mine = row.sessionId === session.id;
  const againAt = heldUntil(row);
  const holds = isHeld(row, now) && standing !== "you";
  if (row.state !== "waiting" && !mine && !holds) return undefined;
  return {
    state: row.state,
    mine,
    requestedAt: isoTime(row.createdAt),
    dueAt: isoTime(row.dueAt),
    // Whom the end of one keeps out need not learn who asked.
    ...(row.address === null || (holds && !mine) ? {} : { from: row.address }),
    ...(againAt === undefined ? {} : { againAt: isoTime(againAt) }),
  };
}

/**
 * Until when nobody can ask again, in milliseconds since the epoch: whoever could get links could ask on and on, and
 * the present person would have to refuse each time, or be told of it each time.
 */
export function heldUntil({ state, endedAt }: StartOverRow): number | undefined {
  const seconds =
    state === "refused"
      ? limits.startOverWaitSeconds
      : state === "withdrawn"
        ? limits.startOverAgainSeconds
        : undefined;
  return seconds === undefined ? undefined : (endedAt ?? 0) + seconds * 1000;
}

/** Whether nobody can ask again yet. */
export function isHeld(row: StartOverRow, now: number): boolean {
  const expiresAt = heldUntil(row);
  return expiresAt !== undefined && !isOver({ createdAt: row.endedAt ?? 0, expiresAt }, now);
}

/** When and from where somebody started over, for who was the person before. */
export function replacedView({ ending }: PersonRow): Pick<PersonView, "replaced"> {
  if (ending === null) return {};
  return {
    replaced: { at: isoTime(ending.at), ...(ending.address === undefined ? {} : { from: ending.address }) },
  };
}
