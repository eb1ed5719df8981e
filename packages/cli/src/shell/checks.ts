export type CheckResult = {
  readonly name: string;
  readonly state: "ok" | "warning" | "failed" | "skipped";
  readonly message: string;
  readonly remedy?: string | undefined;
};

export type Check = {
  readonly name: string;
  /** One check may come to several results; a check that throws is a failed check. */
  readonly run: () => Promise<readonly Outcome[]> | readonly Outcome[];
};

export type Outcome = Omit<CheckResult, "name"> & { readonly name?: string };

export const ok = (message: string, name?: string): Outcome => outcome("ok", message, undefined, name);
export const warning = (message: string, remedy: string, name?: string): Outcome =>
  outcome("warning", message, remedy, name);
export const failed = (message: string, remedy: string, name?: string): Outcome =>
  outcome("failed", message, remedy, name);
export const skipped = (message: string): Outcome => outcome("skipped", message, undefined, undefined);

function outcome(
  state: Outcome["state"],
  message: string,
  remedy: string | undefined,
  name: string | undefined,
): Outcome {
  return {
    state,
    message,
    ...(remedy === undefined ? {} : { remedy }),
    ...(name === undefined ? {} : { name }),
  };
}

/** Runs checks one after the other and gives every result; none can end the row. */
export async function runChecks(
  checks: readonly Check[],
  onResult: (result: CheckResult) => void,
): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  for (const check of checks) {
    for (const each of await outcomesOf(check)) {
      const result = { ...each, name: each.name ?? check.name };
      results.push(result);
      onResult(result);
    }
  }
  return results;
}

async function outcomesOf(check: Check): Promise<readonly Outcome[]> {
  try {
    return await check.run();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const remedy =
      error instanceof Error && "remedy" in error && typeof error.remedy === "string"
        ? error.remedy
        : "This check failed before it had a result; please report it.";
    return [failed(message, remedy)];
  }
}
