import type { PersonView } from "@keyloan/contract";
import type { PersonRow, SessionRow } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { isoTime } from "../builds/views.ts";
import { standingOf } from "./standing.ts";

/** Who a session is to its build, as the page shows it. */
export async function personView(deps: Pick<Deps, "store">, session: SessionRow): Promise<PersonView> {
  const { read } = deps.store;
  const { standing, person } = await standingOf(read, session);
  const asked = await read.startOvers.findNewest(session.buildId);
  const mine = asked?.sessionId === session.id;
  const was =
    session.personId === null || session.personId === person?.id
      ? undefined
      : await read.persons.find(session.personId);
  return {
    standing,
    ...(person === undefined ? {} : { since: isoTime(person.createdAt) }),
    ...(person === undefined || standing !== "you" ? {} : { tokensMay: person.allows }),
    ...(asked === undefined || (asked.state !== "waiting" && !mine)
      ? {}
      : {
          startOver: {
            state: asked.state,
            mine,
            requestedAt: isoTime(asked.createdAt),
            dueAt: isoTime(asked.dueAt),
            ...(asked.address === null ? {} : { from: asked.address }),
          },
        }),
    ...(was === undefined ? {} : replacedView(was)),
  };
}

/** When and from where somebody started over, for who was the person before. */
export function replacedView({ ending }: PersonRow): Pick<PersonView, "replaced"> {
  if (ending === null) return {};
  return {
    replaced: { at: isoTime(ending.at), ...(ending.address === undefined ? {} : { from: ending.address }) },
  };
}
