/** Why it does not start or run, in a sentence that says what to do; `detail` are lines worth reading. */
export class LaunchError extends Error {
  override readonly name = "LaunchError";
  readonly detail: readonly string[];
  /** 1 failed, 2 wrong usage. */
  readonly exitCode: 1 | 2;

  constructor(message: string, options: { detail?: readonly string[]; exitCode?: 1 | 2 } = {}) {
    super(message);
    this.detail = options.detail ?? [];
    this.exitCode = options.exitCode ?? 1;
  }
}

/** The code of a system error, such as `EACCES`, or an empty text. */
export function systemCode(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}
