import type { RehearsedBuild } from "@keyloan/contract";
import type { BuildRow } from "@keyloan/store";
import { bySystem } from "../../change.ts";
import type { Deps } from "../../deps.ts";
import { everyPage } from "../../every-page.ts";
import { envLinesOf } from "../env/read-env.ts";
import { wayBackEndsAt } from "../lending/lending-end.ts";
import { editableBuild } from "../settings/editable-build.ts";
import { goBack } from "../settings/revert-keys.ts";

const pageRows = 200;

/** Reverts every swapped build of a copy, and opens the env it would get then. */
export async function rehearseReverts(copy: Deps): Promise<readonly RehearsedBuild[]> {
  const rehearsed: RehearsedBuild[] = [];
  const list = (after?: BuildRow) =>
    copy.store.read.builds.list({
      state: "handing_off",
      limit: pageRows,
      ...(after === undefined ? {} : { after }),
    });
  for await (const builds of everyPage(list)) {
    for (const build of builds) {
      if (await canGoBack(copy, build)) rehearsed.push(await rehearseRevert(copy, build));
    }
  }
  return rehearsed;
}

async function canGoBack(copy: Deps, build: BuildRow): Promise<boolean> {
  const bindings = await copy.store.read.bindings.listByBuild(build.id);
  const until = wayBackEndsAt(copy.config, build, bindings);
  return (until ?? 0) > copy.now();
}

async function rehearseRevert(copy: Deps, { id, name }: BuildRow): Promise<RehearsedBuild> {
  const began = performance.now();
  const end = (ok: boolean, message: string) => {
    return { id, name, ok, milliseconds: Math.round(performance.now() - began), message };
  };
  try {
    await goBack(copy, bySystem("rehearsal"), await editableBuild(copy, { buildId: id }));
    const lines = await envLinesOf(copy, { buildId: id, profile: undefined, copies: [] });
    return end(true, `${lines.length} variables of the lent keys open`);
  } catch (error) {
    return end(false, error instanceof Error ? error.message : "failed");
  }
}
