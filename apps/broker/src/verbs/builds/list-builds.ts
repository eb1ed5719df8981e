import { BrokerError, type BuildList, type BuildState, buildStates } from "@keyloan/contract";
import type { TimeCursor } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { decodeCursor, encodeCursor } from "../cursor.ts";
import { buildView } from "./views.ts";

/** A page of builds with their leases, newest first. */
export async function listBuilds(
  deps: Pick<Deps, "store" | "connectors">,
  query: {
    readonly cursor?: string | undefined;
    readonly limit: number;
    readonly state?: string | undefined;
  },
): Promise<BuildList> {
  const after = query.cursor === undefined ? undefined : decodeTimeCursor(query.cursor);
  const state = buildStates.find((known): known is BuildState => known === query.state);
  const rows = await deps.store.read.builds.list({
    ...(after === undefined ? {} : { after }),
    ...(state === undefined ? {} : { state }),
    limit: query.limit + 1,
  });
  const page = rows.slice(0, query.limit);
  const leases = await deps.store.read.leases.listByBuilds(page.map(({ id }) => id));
  const last = page.at(-1);
  return {
    builds: page.map((build) =>
      buildView(
        deps,
        build,
        leases.filter(({ buildId }) => buildId === build.id),
      ),
    ),
    ...(rows.length > query.limit && last !== undefined
      ? { nextCursor: encodeCursor([last.createdAt, last.id]) }
      : {}),
  };
}

/** @throws BrokerError `invalid_input` for a cursor this broker did not make */
export function decodeTimeCursor(text: string): TimeCursor {
  const [createdAt, id] = decodeCursor(text);
  if (typeof createdAt === "number" && typeof id === "string") return { createdAt, id };
  throw new BrokerError("invalid_input", "this cursor is not valid", {
    remedy: "Start again without a cursor.",
  });
}
