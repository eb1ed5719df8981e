import { showName } from "@keyloan/contract";
import type { DumpDefinition } from "./dump-format.ts";
import { partsTable, quoteName } from "./names.ts";
import type { SmallValue } from "./values.ts";

const definitionsAtOnce = 100;

/** A statement with one question mark for each value; `what` names what it makes, for the error if it is refused. */
export type FinishingStep = {
  readonly sql: string;
  readonly values?: readonly SmallValue[];
  readonly what: string;
  /** What the statement makes or fills; absent: it is one of ours and touches nothing that was loaded. */
  readonly does?: { readonly kind: "define" | "fill"; readonly definition: DumpDefinition };
};

type Groups = readonly (readonly FinishingStep[])[];

/**
 * The steps after all rows are loaded, in groups that are each a transaction: indexes one by one, since each may take
 * long; then views, full-text indexes over tables and views, and finally triggers, which must not fire for loaded rows.
 */
export function finishingSteps(definitions: readonly DumpDefinition[]): Groups {
  const of = (type: DumpDefinition["type"]) => definitions.filter((one) => one.type === type);
  return [
    [{ sql: `DROP TABLE IF EXISTS ${partsTable}`, what: "the last step of loading" }],
    ...of("index").map((one) => [defining(one)]),
    ...inGroups(of("view").map(defining)),
    ...of("table").flatMap(searchSteps),
    ...inGroups(of("trigger").map(defining)),
  ];
}

function defining(definition: DumpDefinition): FinishingStep {
  const { type, name, sql } = definition;
  return {
    sql,
    what: `the definition of the ${type} ${showName(name)}`,
    does: { kind: "define", definition },
  };
}

function searchSteps(definition: DumpDefinition): Groups {
  const { name, search } = definition;
  if (search === undefined) return [];
  const table = quoteName(name);
  const about = {
    what: `the full-text index ${showName(name)}`,
    does: { kind: "fill", definition } as const,
  };
  const set = `INSERT INTO ${table}(${table},rank) VALUES(?,?)`;
  const settings = search.settings.map((values): FinishingStep => ({ sql: set, values, ...about }));
  const rebuild = { sql: `INSERT INTO ${table}(${table}) VALUES('rebuild')`, ...about };
  return [settings, search.kind === "external" ? [rebuild] : []].filter(({ length }) => length > 0);
}

function inGroups(steps: readonly FinishingStep[]): Groups {
  const groups: (readonly FinishingStep[])[] = [];
  for (let index = 0; index < steps.length; index += definitionsAtOnce) {
    groups.push(steps.slice(index, index + definitionsAtOnce));
  }
  return groups;
}
