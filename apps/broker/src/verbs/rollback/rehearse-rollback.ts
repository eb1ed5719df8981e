import { mkdir, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { BrokerError, type Rehearsal, type RehearsalStep } from "@keyloan/contract";
import { openStore, type Store } from "@keyloan/store";
import { type By, recordAudit } from "../../audit-row.ts";
import { createChange } from "../../change.ts";
import type { Deps } from "../../deps.ts";
import { everyPage } from "../../every-page.ts";
import { isoTime } from "../../iso-time.ts";
import { describeError } from "../../observe/logger.ts";
import { withOpenKey } from "../../sealing/data-key.ts";
import { rehearseReverts } from "./rehearse-reverts.ts";

const pageRows = 500;
const folderName = "rehearsals";
const abandonedAfterMs = 3_600_000;

/**
 * Goes back on a copy of the store, as a real rollback would: opens the copy with the keys of this broker, reads
 * every page, opens every data key and lets every swapped build use its lent keys again. Nothing of the store
 * itself changes and no provider is asked.
 */
export async function rehearseRollback(deps: Deps, by: By): Promise<Rehearsal> {
  const rehearsal = await rehearse(deps);
  const { ok, milliseconds, builds } = rehearsal;
  const details = { ok, milliseconds, builds: builds.length };
  await recordAudit(deps, { ...by, action: "rollback.rehearsed", entity: "store", details });
  return rehearsal;
}

/** Runs one at a time, and refuses others meanwhile. @throws BrokerError `already_running`, and what the work throws */
export function oneAtATime<Arguments extends unknown[], T>(
  work: (...given: Arguments) => Promise<T>,
  what: string,
): (...given: Arguments) => Promise<T> {
  let isUnderWay = false;
  return async (...given) => {
    if (isUnderWay)
      throw new BrokerError("already_running", `${what} already`, { remedy: "Wait for its answer." });
    isUnderWay = true;
    try {
      return await work(...given);
    } finally {
      isUnderWay = false;
    }
  };
}

/** Removes copies that a broker left which died while it rehearsed; another broker's of now stay. */
export async function removeOldRehearsals(deps: Pick<Deps, "config" | "now">): Promise<void> {
  const parent = join(deps.config.dataDirectory, folderName);
  for (const name of await readdir(parent).catch(() => [])) {
    const folder = join(parent, name);
    const made = await stat(folder).catch(() => undefined);
    if (made !== undefined && made.mtimeMs < deps.now() - abandonedAfterMs)
      await rm(folder, { recursive: true, force: true });
  }
}

async function rehearse(deps: Deps): Promise<Rehearsal> {
  const began = performance.now();
  const startedAt = isoTime(deps.now());
  const steps: RehearsalStep[] = [];
  const step = createStep(deps, steps);
  const folder = await makeFolder(deps.config.dataDirectory);
  const path = join(folder, "keyloan.db");
  let copy: Store | undefined;
  let builds: Rehearsal["builds"] = [];
  try {
    const copied = await step("copy", async () => {
      await deps.store.copyTo(path);
      return `${Math.ceil((await stat(path)).size / 1024)} kB copied`;
    });
    // Opening what is not there would make an empty store, in which all is well.
    if (copied !== undefined) {
      copy = await step("open", async () => openStore({ path }), "opened, with every migration");
    }
    const opened = copy;
    if (opened !== undefined) {
      await step("integrity", opened.checkIntegrity, "every page reads");
      await step("data_keys", () => openEveryDataKey(deps, opened));
      await step("revert", async () => {
        builds = await rehearseReverts(onCopy(deps, opened));
        const failed = builds.filter(({ ok }) => !ok).length;
        if (failed > 0) throw new Error(`${failed} of ${builds.length} builds cannot go back`);
        return builds.length === 0 ? "no build is swapped now" : `${builds.length} builds went back`;
      });
    }
  } finally {
    await copy?.close();
    await step("clean_up", () => rm(folder, { recursive: true, force: true }), "the copy is removed");
  }
  const ok = steps.every((done) => done.ok) && steps.some(({ name }) => name === "revert");
  return { ok, startedAt, milliseconds: since(began), steps, builds };
}

/** The same parts over a copy: what is changed is changed there alone, and no job is run. */
function onCopy(deps: Deps, store: Store): Deps {
  const runner = { ...deps.runner, run: async () => undefined };
  const rowMac = deps.store.rowMac();
  if (rowMac !== undefined) store.sealRows(rowMac);
  const auditSeal = deps.store.auditSeal();
  if (auditSeal !== undefined) store.sealAudit(auditSeal);
  const parts = { ...deps, store, runner };
  return { ...parts, change: createChange(parts) };
}

type Step = <T>(
  name: RehearsalStep["name"],
  work: () => Promise<T>,
  message?: string,
) => Promise<T | undefined>;

/** Times a step and notes what came of it; one that fails does not keep the next from being tried. */
function createStep(deps: Pick<Deps, "logger">, steps: RehearsalStep[]): Step {
  return async (name, work, message) => {
    const began = performance.now();
    try {
      const result = await work();
      const told = message ?? String(result);
      steps.push({ name, ok: true, milliseconds: since(began), message: told });
      return result;
    } catch (error) {
      deps.logger.error({ step: name, ...describeError(error) }, "a rehearsed rollback failed");
      const told = error instanceof Error ? error.message : "failed";
      steps.push({ name, ok: false, milliseconds: since(began), message: told });
      return undefined;
    }
  };
}

async function openEveryDataKey(deps: Deps, store: Store): Promise<string> {
  let count = 0;
  // No root key has an empty id: this is every row.
  const list = (after?: { readonly id: string }) =>
    store.read.dataKeys.listOtherThan("", after?.id ?? "", pageRows);
  for await (const rows of everyPage(list)) {
    for (const row of rows) withOpenKey(deps, row, () => undefined);
    count += rows.length;
  }
  return `${count} data keys open`;
}

async function makeFolder(dataDirectory: string): Promise<string> {
  const parent = join(dataDirectory, folderName);
  await mkdir(parent, { recursive: true, mode: 0o700 });
  return mkdtemp(join(parent, "copy-"));
}

const since = (began: number) => Math.round(performance.now() - began);
