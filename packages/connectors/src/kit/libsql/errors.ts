import { ProviderError, type ProviderErrorCode } from "@keyloan/contract";

/** The error for something that cannot be moved without loss; `what` names it. */
export function notFaithful(provider: string, what: string): ProviderError {
  return new ProviderError(provider, "rejected", `cannot export this exactly: ${what}`, {
    remedy: "Remove it from the database if the app does not need it, or move this database by hand.",
  });
}

/** The error for a schema that is too large to read. @param what what is too large, such as `takes more than 16 MB` */
export function schemaTooLarge(provider: string, what: string): ProviderError {
  return new ProviderError(provider, "rejected", `has a schema that is too large to move: it ${what}`, {
    remedy:
      "Drop the tables, indexes, views and triggers that the app does not need, keep long texts in rows instead, or move this database by hand.",
  });
}

const faultTexts = {
  cut_short: "is cut short",
  altered: "was altered",
  goes_on: "continues after its end",
  no_dump: "does not start like a dump",
  other_version: "has a version that this one cannot read",
  long_line: "has a line that is too long",
} as const;

/** What can be wrong with a dump. */
export type DumpFault = keyof typeof faultTexts;
// The cast holds because the object has exactly these keys.
export const dumpFaults = Object.keys(faultTexts) as [DumpFault, ...DumpFault[]];

export function brokenDump(provider: string, fault: DumpFault): ProviderError {
  return new ProviderError(provider, "rejected", `was given a dump that ${faultTexts[fault]}`, {
    remedy: "Do not use any part of it: make the dump again.",
  });
}

/** The error for a status other than 200, in words for someone who moves content. */
export function refusedValues(provider: string, status: number): ProviderError {
  const code: ProviderErrorCode =
    status === 401
      ? "unauthorized"
      : status === 403
        ? "forbidden"
        : status === 404
          ? "not_found"
          : status >= 400
            ? "rejected"
            : "invalid_response";
  return new ProviderError(provider, code, `answered ${status} for the values of this database`, {
    status,
    remedy: remedies[code] ?? "Check that the database is there and that its values are right.",
  });
}

const remedies: Partial<Readonly<Record<ProviderErrorCode, string>>> = {
  unauthorized: "The database refuses the token: set a new one for this database.",
  forbidden: "The token lacks a permission for this: set one that may read and write.",
  not_found:
    "There is no such database, or the token belongs to another one: set the URL and the token of the same database.",
};

/**
 * The error for a refused statement.
 * @param what what was being done, such as `a row of the table "notes"`
 */
export function refusedStatement(provider: string, code: string, what: string): ProviderError {
  if (code === "SQLITE_FULL") {
    return new ProviderError(provider, "quota_exceeded", `is full: it does not accept ${what}`, {
      remedy: "Give the database more space, or choose another one.",
    });
  }
  if (code === "BLOCKED") {
    return new ProviderError(provider, "quota_exceeded", `is blocked: it does not accept ${what}`, {
      remedy: "Unblock the database, or upgrade the plan whose quota is used up.",
    });
  }
  if (code === "SQLITE_BUSY" || code === "SQLITE_LOCKED") {
    return new ProviderError(provider, "unavailable", "is busy with another write");
  }
  if (code === "SQLITE_TOOBIG") {
    return new ProviderError(provider, "rejected", `finds ${what} too large`, {
      remedy: "The database accepts only smaller rows: make the row smaller, or choose another database.",
    });
  }
  return new ProviderError(provider, "rejected", `does not accept ${what} (${code})`, {
    remedy: "Look at it in the database: it does not match what is there.",
  });
}
