import type {
  AcceptedHead,
  AuditEventView,
  AuditHead,
  AuditList,
  AuditMatches,
  AuditVerification,
} from "@keyloan/contract";
import { auditRoutes } from "@keyloan/contract/calls";
import { ask, type Caller, send } from "./call.ts";
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

export function auditApi(caller: Caller): AuditApi {
  const list = (query: AuditQuery = {}) => ask(caller, auditRoutes.list, { query });
  const headBody = (head: string | undefined) => (head === undefined ? {} : { head });
  return {
    list,
    listAll: (query = {}) => eachOfPages(list, ({ events }) => events, query),
    head: () => ask(caller, auditRoutes.head, {}),
    verify: (head) => ask(caller, auditRoutes.verify, { body: headBody(head) }),
    acceptHead: (head) => ask(caller, auditRoutes.accept, { body: headBody(head) }),
    export: async ({ after }, take) => {
      await send(caller, auditRoutes.download, { query: { after } }, "text", { take });
    },
    matches: (values) => ask(caller, auditRoutes.matches, { body: { values: [...values] } }),
  };
}
