import type {
  AcceptedHead,
  AuditEventView,
  AuditHead,
  AuditList,
  AuditMatches,
  AuditVerification,
} from "@keyloan/contract";
import { bodyOf } from "./answer.ts";
import type { Caller } from "./call.ts";
import { eachOfPages, type PageQuery } from "./pages.ts";

export type AuditQuery = PageQuery & {
  /** Only what happened to this id. */
  readonly entity?: string | undefined;
  readonly action?: string | undefined;
};

export type AuditApi = {
  /** One page of events, newest first. */
  readonly list: (query?: AuditQuery) => Promise<AuditList>;
  readonly listAll: (query?: AuditQuery) => AsyncGenerator<AuditEventView, void, void>;
  /** The end of the chain, signed: keep it where nobody reaches who can write to the broker's store. */
  readonly head: () => Promise<AuditHead>;
  /** Follows the whole chain. @param head one that was kept: with it a cut end is found too */
  readonly verify: (head?: string) => Promise<AuditVerification>;
  /** Goes on from the store as it is, though it is not what was signed. @param head one that it does not hold */
  readonly acceptHead: (head?: string) => Promise<AcceptedHead>;
  /**
   * Gives the audit as JSON lines, oldest first, piece by piece as it arrives.
   * @param take is waited for before more is read
   */
  readonly export: (
    options: { readonly after?: number | undefined },
    take: (piece: Uint8Array) => void | Promise<void>,
  ) => Promise<void>;
  /** What of these values was ever lent, put by the org, or is a token of ours. At most 500. */
  readonly matches: (values: readonly string[]) => Promise<AuditMatches>;
};

// A trail of years takes its time.
const longTimeMs = 3_600_000;

export function auditApi({ base, call }: Caller): AuditApi {
  const path = "/v1/audit";
  const list = async (query: AuditQuery = {}) =>
    bodyOf<AuditList>(base, await call({ method: "GET", path, query, expect: "json" }), ["events"]);
  return {
    list,
    listAll: (query = {}) =>
      eachOfPages(
        (cursor) => list({ ...query, cursor }),
        (page) => page.events,
        query.cursor,
      ),
    head: async () =>
      bodyOf<AuditHead>(base, await call({ method: "GET", path: `${path}/head`, expect: "json" }), [
        "sequence",
        "signed",
      ]),
    verify: async (head) => {
      const body = head === undefined ? {} : { head };
      const request = { method: "POST", path: `${path}/verify`, body, expect: "json" } as const;
      return bodyOf<AuditVerification>(base, await call({ ...request, extraTimeMs: longTimeMs }), [
        "verdict",
        "rows",
      ]);
    },
    acceptHead: async (head) => {
      const body = head === undefined ? {} : { head };
      const request = { method: "POST", path: `${path}/accept-head`, body, expect: "json" } as const;
      return bodyOf<AcceptedHead>(base, await call({ ...request, extraTimeMs: 60_000 }), ["head", "problem"]);
    },
    export: async ({ after }, take) => {
      const request = { method: "GET", path: `${path}/export`, query: { after }, expect: "text" } as const;
      await call({ ...request, take, extraTimeMs: longTimeMs });
    },
    matches: async (values) => {
      const request = { method: "POST", path: `${path}/matches`, body: { values }, expect: "json" } as const;
      return bodyOf<AuditMatches>(base, await call({ ...request, extraTimeMs: 20_000 }), ["matches"]);
    },
  };
}
