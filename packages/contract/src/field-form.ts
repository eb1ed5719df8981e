import type { Begins, ConnectorSpec, EnvVarSpec, FieldSpec } from "./field.ts";
import type { KeyMode } from "./validation.ts";

type HasBeginnings = { readonly begins?: Begins | undefined };

/** The beginnings of a field's values, of every mode; none when they begin with anything. */
export function beginningsOf({ begins = [] }: HasBeginnings): readonly string[] {
  return "live" in begins ? [...begins.test, ...begins.live] : begins;
}

/** Which mode a value says of itself by its beginning, where its field has one for each mode. */
export function keyModeOf({ begins }: HasBeginnings, text: string): KeyMode | undefined {
  if (begins === undefined || !("live" in begins)) return undefined;
  if (begins.live.some((each) => text.startsWith(each))) return "live";
  return begins.test.some((each) => text.startsWith(each)) ? "test" : undefined;
}

/** The pattern of values that begin with one of these and go on so, and the beginnings beside it. */
export function formOf<T extends Begins>(begins: T, rest: string) {
  return { begins, pattern: `${patternStart({ begins })}${rest}$` };
}

/** What the pattern of a field that has beginnings starts with. */
export function patternStart(field: HasBeginnings): string {
  const beginnings = beginningsOf(field).map((each) => each.replaceAll(/[\\^$.*+?()[\]{}|/]/g, "\\$&"));
  return `^(?:${beginnings.join("|")})`;
}

/** Whether a text has the form of a field's values; a field without a pattern takes any. */
export function fitsField({ pattern }: { readonly pattern?: string | undefined }, text: string): boolean {
  return pattern === undefined || new RegExp(pattern, "u").test(text);
}

/** What a text is that stands in another field. */
export type TextOwner = {
  readonly field: FieldSpec;
  /** The provider, when it is another one's. */
  readonly label?: string;
};

/**
 * The field whose value a text is that was put into another one: one of its neighbours, or one of any provider known.
 * For certain or not at all: a text that fits where it stands is another's only by a form that is unmistakable.
 */
export function findOwner(
  field: FieldSpec,
  text: string,
  neighbours: readonly FieldSpec[],
  known: readonly Pick<ConnectorSpec, "label" | "orgFields" | "env">[],
): TextOwner | undefined {
  const others = known
    .flatMap(({ label, orgFields, env }) => [...env, ...orgFields].map((other) => ({ field: other, label })))
    .filter(({ field: other }) => other.pattern !== field.pattern && !neighbours.includes(other));
  const sure = others.filter(({ field: other }) => isSurely(other, text));
  if (sure.length > 0) return onlyOwner(sure);
  if (fitsField(field, text)) return undefined;
  const near = neighbours.filter((other) => other.name !== field.name && owns(other, text));
  if (near.length > 0) return near.length === 1 && near[0] !== undefined ? { field: near[0] } : undefined;
  return onlyOwner(others.filter(({ field: other }) => owns(other, text)));
}

function onlyOwner(found: readonly Required<TextOwner>[]): TextOwner | undefined {
  const [first] = found;
  if (first === undefined) return undefined;
  // Many providers write the secrets of their webhooks in one form.
  if (found.every(({ field }) => isWebhooks(field))) return { field: first.field };
  return found.every(({ label }) => label === first.label) ? first : undefined;
}

const owns = (field: FieldSpec, text: string) => beginningsOf(field).length > 0 && fitsField(field, text);

function isSurely({ unmistakable }: FieldSpec, text: string): boolean {
  return unmistakable !== undefined && new RegExp(unmistakable, "u").test(text);
}

const isWebhooks = (field: FieldSpec & Pick<Partial<EnvVarSpec>, "role">) => field.role === "webhook_secret";
