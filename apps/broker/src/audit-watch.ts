/** What this process knows of its audit without asking the store. */
export type AuditWatch = {
  /** The id of a request that begins: the one it wishes for, unless a request under way has it. */
  readonly begin: (wished: string | undefined, newRequestId: () => string) => string;
  readonly end: (requestId: string) => void;
  /** Told by the store: rows of these requests are on disk. */
  readonly noteAudited: (requestIds: readonly string[]) => void;
  /** Whether a row of a request under way is on disk. */
  readonly isAudited: (requestId: string) => boolean;
  readonly noteFailure: () => void;
  /** How often the audit could not be written. */
  readonly failures: () => number;
};

export function createAuditWatch(): AuditWatch {
  const underWay = new Map<string, boolean>();
  let failures = 0;
  return {
    begin: (wished, newRequestId) => {
      // Two requests of one id could hide behind each other's row.
      const requestId = wished === undefined || underWay.has(wished) ? newRequestId() : wished;
      underWay.set(requestId, false);
      return requestId;
    },
    end: (requestId) => {
      underWay.delete(requestId);
    },
    noteAudited: (requestIds) => {
      for (const requestId of requestIds) if (underWay.has(requestId)) underWay.set(requestId, true);
    },
    isAudited: (requestId) => underWay.get(requestId) === true,
    noteFailure: () => {
      failures += 1;
    },
    failures: () => failures,
  };
}
