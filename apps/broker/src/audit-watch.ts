/** What this process knows of its audit without asking the store. */
export type AuditWatch = {
  /** A request begins; its client may have given it an id of its own. */
  readonly begin: (requestId: string, clientRequestId: string | undefined) => void;
  readonly end: (requestId: string) => void;
  /** What the client calls a request that is under way. */
  readonly clientRequestId: (requestId: string) => string | undefined;
  /** Told by the store: rows of these requests are on disk. */
  readonly noteAudited: (requestIds: readonly string[]) => void;
  /** Whether a row of a request under way is on disk. */
  readonly isAudited: (requestId: string) => boolean;
  readonly noteFailure: () => void;
  /** How often the audit could not be written. */
  readonly failures: () => number;
};

export function createAuditWatch(): AuditWatch {
  const underWay = new Map<string, { isAudited: boolean; readonly clientRequestId: string | undefined }>();
  let failures = 0;
  return {
    begin: (requestId, clientRequestId) => {
      underWay.set(requestId, { isAudited: false, clientRequestId });
    },
    end: (requestId) => {
      underWay.delete(requestId);
    },
    clientRequestId: (requestId) => underWay.get(requestId)?.clientRequestId,
    noteAudited: (requestIds) => {
      for (const requestId of requestIds) {
        const request = underWay.get(requestId);
        if (request !== undefined) request.isAudited = true;
      }
    },
    isAudited: (requestId) => underWay.get(requestId)?.isAudited === true,
    noteFailure: () => {
      failures += 1;
    },
    failures: () => failures,
  };
}
