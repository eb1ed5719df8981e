import * as z from "zod";
import { type DumpFault, dumpFaults } from "../errors.ts";
import { stepKinds } from "./allowed.ts";

/** Why a file cannot be made from a complete dump. `explain-outcome.ts` has the texts. */
export const refusalReasons = [
  "function",
  "module",
  "action",
  "several",
  "not_as_listed",
  "unfit",
  "large_value",
  "large_file",
  "no_room",
] as const;
export type RefusalReason = (typeof refusalReasons)[number];

/** The file that the process makes, in its working directory. */
export const databaseName = "database";

const nameCharactersMax = 200;
/** Longer than any answer. */
export const answerCharactersMax = 8 * 1024;

const nameSchema = z.string().max(nameCharactersMax);
const stepSchema = z.strictObject({ kind: z.enum(stepKinds), name: nameSchema });

/** The answers of the process, one line of JSON each: every step that it begins and, in the last line, how it ended. */
export const answerSchema = z.union([
  z.strictObject({ at: stepSchema }),
  z.strictObject({ made: z.literal(true) }),
  z.strictObject({ dump: z.enum(dumpFaults) }),
  z.strictObject({ reason: z.enum(refusalReasons), uses: nameSchema.optional() }),
]);
export type Answer = z.output<typeof answerSchema>;
/** What is being made or filled, by a name from a foreign database. */
export type NamedStep = z.output<typeof stepSchema>;

export type Refusal =
  | { readonly dump: DumpFault }
  | { readonly reason: RefusalReason; readonly uses?: string };

/** Thrown when the file cannot be made; `refusal` says why. */
export class RefusedFile extends Error {
  override readonly name = "RefusedFile";
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super("refused");
    this.refusal = refusal;
  }

  /** The function or module that is missing or not allowed. */
  get uses(): string | undefined {
    return "uses" in this.refusal ? this.refusal.uses : undefined;
  }
}

/** An answer as a line of JSON, with its texts cut to the length that the schema allows. */
export function answerLine(answer: Answer): string {
  return `${JSON.stringify(answer, (_key, value) => (typeof value === "string" ? value.slice(0, nameCharactersMax) : value))}\n`;
}
