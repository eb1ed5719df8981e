import { type EnvFormat, Secret } from "@keyloan/contract";
import { EnvFormatError, type EnvLine, renderEnv } from "../index.ts";

/** The code with which a format refuses a value; `undefined` if the format carries it. */
export function refusal(value: string, format: EnvFormat): string | undefined {
  try {
    renderEnv([{ name: "VALUE", value: Secret.of(value) }], { format });
    return undefined;
  } catch (error) {
    if (error instanceof EnvFormatError) return error.code;
    throw error;
  }
}

/** Names for the values that a format carries, and one text with all of them. */
export function renderCarried(values: readonly string[], format: EnvFormat) {
  const carried = values.filter((value) => refusal(value, format) === undefined);
  const expected = Object.fromEntries(carried.map((value, index) => [`KEYLOAN_TEST_${index}`, value]));
  const lines: EnvLine[] = Object.entries(expected).map(([name, value]) => ({
    name,
    value: Secret.of(value),
  }));
  return { expected, text: renderEnv(lines, { format }) };
}
