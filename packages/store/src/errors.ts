export type StoreErrorCode =
  | "unavailable"
  | "busy"
  | "full"
  | "not_writable"
  | "corrupt"
  | "conflict"
  | "altered";

/** The store could not do something. The error contains no stored values, only the engine's code in `engineCode`. */
export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly code: StoreErrorCode;
  readonly engineCode: string | undefined;

  constructor(code: StoreErrorCode, message: string, engineCode?: string) {
    super(message);
    this.code = code;
    this.engineCode = engineCode;
  }
}

/** @throws StoreError `altered` if the number of rows written is not `rows` */
export function requireWritten(written: { readonly rowsAffected: number }, rows = 1): void {
  if (written.rowsAffected !== rows) throw notKept();
}

/** The error for a write that something in the file, such as a trigger, changed or prevented. */
export function notKept(): StoreError {
  return new StoreError("altered", "the store's file does not keep what is written to it");
}

/** Turns an error of the engine into a StoreError. Drops its text, which may quote values. */
export function toStoreError(error: unknown): Error {
  if (error instanceof StoreError) return error;
  const code = engineCode(error);
  if (code === undefined) return error instanceof Error ? error : new Error("the store failed");
  if (code.startsWith("SQLITE_BUSY") || code.startsWith("SQLITE_LOCKED")) {
    return new StoreError("busy", "another process holds the store's write lock", code);
  }
  if (code.startsWith("SQLITE_CONSTRAINT"))
    return new StoreError("conflict", "a row with that key already exists", code);
  if (code.startsWith("SQLITE_CORRUPT") || code.startsWith("SQLITE_NOTADB")) {
    return new StoreError("corrupt", "the store's file is damaged: restore it from a backup", code);
  }
  if (code.startsWith("SQLITE_FULL")) return new StoreError("full", "the disk of the store is full", code);
  if (notWritable.some((prefix) => code.startsWith(prefix))) {
    return new StoreError("not_writable", `the store's file cannot be written (${code})`, code);
  }
  return new StoreError("unavailable", `the store cannot be used (${code})`, code);
}

const notWritable = ["SQLITE_READONLY", "SQLITE_IOERR_WRITE", "SQLITE_PERM", "SQLITE_CANTOPEN"];

function engineCode(error: unknown): string | undefined {
  for (
    let current = error, depth = 0;
    current instanceof Error && depth < 4;
    current = current.cause, depth++
  ) {
    if (current.name === "LibsqlError" || current.name === "SqliteError") {
      return "code" in current && typeof current.code === "string" ? current.code : "UNKNOWN";
    }
  }
  return undefined;
}
