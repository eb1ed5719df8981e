import { constants } from "node:sqlite";
import { foldName } from "../names.ts";
import { allowedFunctions, type StepKind, searchModules, searchParts, valueTables } from "./allowed.ts";
import type { Refusal } from "./answers.ts";

/** One thing that foreign SQL may do: make this object, or fill it. */
export type Step = { readonly kind: StepKind; readonly name: string; readonly table: string };

/** Decides what the statements that the engine compiles may do. */
export type Guard = {
  readonly authorizer: (
    action: number,
    first: string | null,
    second: string | null,
    schema: string | null,
  ) => number;
  /** Guards while foreign SQL is compiled or runs; at any other time, statements are constants of this program. */
  readonly during: <T>(phase: "compiling" | "running", step: Step, act: () => T) => T;
  /** From then on, the step's object may be read, and a full-text index may write the tables behind it. */
  readonly know: (step: Step) => void;
  /** What was refused since the last call. */
  readonly takeDenial: () => Refusal | undefined;
};

export function createGuard(): Guard {
  let now: { readonly step: Step; readonly compiles: boolean } | undefined;
  let denial: Refusal | undefined;
  const readable = new Set([...valueTables, "sqlite_sequence"]);
  const behindSearch = new Set<string>();
  const know = ({ kind, name }: Step) => {
    readable.add(foldName(name));
    if (kind !== "search") return;
    for (const part of partsOf(name)) {
      behindSearch.add(part);
      readable.add(foldName(part));
    }
  };
  return {
    authorizer: (action, first, second, schema) => {
      if (now === undefined) return constants.SQLITE_OK;
      const asked = { action, first: first ?? "", second: second ?? "", schema };
      if (mayDo(now, asked, readable, behindSearch)) return constants.SQLITE_OK;
      denial ??= denialOf(asked);
      return constants.SQLITE_DENY;
    },
    during: (phase, step, act) => {
      now = { step, compiles: phase === "compiling" };
      try {
        return act();
      } finally {
        now = undefined;
      }
    },
    know,
    takeDenial: () => {
      const taken = denial;
      denial = undefined;
      return taken;
    },
  };
}

export const partsOf = (name: string) => searchParts.map((part) => `${name}_${part}`);

type Asked = {
  readonly action: number;
  readonly first: string;
  readonly second: string;
  readonly schema: string | null;
};

function mayDo(
  { step, compiles }: { readonly step: Step; readonly compiles: boolean },
  asked: Asked,
  readable: ReadonlySet<string>,
  behindSearch: ReadonlySet<string>,
): boolean {
  const { action, first, second, schema } = asked;
  const { kind, name, table } = step;
  if (schema !== null && schema !== "main") return false;
  const defines = kind !== "rows" && kind !== "rebuild";
  // A full-text index compiles statements of its own while other statements run.
  const isOwnPart =
    !compiles && (behindSearch.has(first) || (kind === "search" && partsOf(name).includes(first)));
  switch (action) {
    case constants.SQLITE_FUNCTION:
      return allowedFunctions.has(second.toLowerCase());
    case constants.SQLITE_SELECT:
      return !compiles;
    case constants.SQLITE_RECURSIVE:
      return !compiles && kind === "rebuild";
    case constants.SQLITE_READ:
      return (
        isSchemaTable(first) ||
        isOwnPart ||
        first === name ||
        readable.has(foldName(first)) ||
        // A table whose columns the query does not read, such as one of WITH: it gives a number of rows, and no value.
        (!compiles && kind === "rebuild" && second === "")
      );
    case constants.SQLITE_INSERT:
    case constants.SQLITE_UPDATE:
    case constants.SQLITE_DELETE:
      if (isSchemaTable(first)) return defines && action !== constants.SQLITE_DELETE;
      return isOwnPart || (!defines && first === name && action === constants.SQLITE_INSERT);
    case constants.SQLITE_CREATE_TABLE:
      return (kind === "table" && (first === name || first === "sqlite_sequence")) || isOwnPart;
    case constants.SQLITE_CREATE_INDEX:
      if (kind === "index") return first === name && second === table;
      return first.startsWith(`sqlite_autoindex_${second}_`) && makesTable(kind, compiles, name, second);
    case constants.SQLITE_REINDEX:
      return kind === "index" && first === name;
    case constants.SQLITE_CREATE_VIEW:
      return kind === "view" && first === name;
    case constants.SQLITE_CREATE_TRIGGER:
      // `table` is spelled as in the trigger's text, whereas the engine asks with the table's own name.
      return kind === "trigger" && first === name && foldName(second) === foldName(table);
    case constants.SQLITE_CREATE_VTABLE:
      return kind === "search" && first === name && searchModules.has(second.toLowerCase());
    case constants.SQLITE_PRAGMA:
      return !compiles && first === "data_version" && second === "";
    default:
      return false;
  }
}

const isSchemaTable = (name: string) => name === "sqlite_master";

function makesTable(kind: StepKind, compiles: boolean, name: string, table: string): boolean {
  if (kind === "table") return table === name;
  return kind === "search" && !compiles && partsOf(name).includes(table);
}

function denialOf({ action, second }: Asked): Refusal {
  if (action === constants.SQLITE_FUNCTION) return { reason: "function", uses: second };
  if (action === constants.SQLITE_CREATE_VTABLE) return { reason: "module", uses: second };
  return { reason: "action" };
}
