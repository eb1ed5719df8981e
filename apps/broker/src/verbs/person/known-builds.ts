import type { KnownBuilds } from "@keyloan/contract";
import type { Deps } from "../../deps.ts";
import { type Browser, personsOf } from "./become-person.ts";
import { replacedView } from "./person-view.ts";

/** The open builds that a browser has proven to be the person of, or had, until somebody started over. */
export async function knownBuilds(
  deps: Pick<Deps, "store" | "callers" | "now">,
  browser: Browser | undefined,
): Promise<KnownBuilds> {
  const persons = await personsOf(deps, browser);
  const newest = persons.filter(
    ({ buildId }, index) => persons.findIndex((person) => person.buildId === buildId) === index,
  );
  const builds = await Promise.all(
    newest.map(async (person) => {
      const build = await deps.store.read.builds.find(person.buildId);
      if (build === undefined || build.state === "closing" || build.state === "closed") return [];
      return [{ id: build.id, name: build.name, state: build.state, ...replacedView(person) }];
    }),
  );
  return { builds: builds.flat() };
}
