import type {
  ChangeTransferBody,
  ReceiptList,
  SigningKeys,
  StartTransferBody,
  TransferList,
} from "@keyloan/contract";
import { pathSegment } from "./address.ts";
import { bodyOf } from "./answer.ts";
import type { Caller } from "./call.ts";

// The broker looks into the user's account and renews what is lent before it answers.
const lookTimeMs = 60_000;

export type TransfersApi = {
  /** What of a build can be moved, and how far its newest transfers are. */
  readonly list: (buildId: string) => Promise<TransferList>;
  /** Begins to move what the app stored with lent keys into the user's own accounts. Nothing is switched. */
  readonly start: (buildId: string, body?: StartTransferBody) => Promise<TransferList>;
  /** Stops, and undoes what was begun. */
  readonly cancel: (buildId: string, body?: ChangeTransferBody) => Promise<TransferList>;
  /** Goes on with what failed or was cancelled. */
  readonly resume: (buildId: string, body?: ChangeTransferBody) => Promise<TransferList>;
  /** Signed receipts of what was moved and proven. */
  readonly receipts: (buildId: string, connector?: string) => Promise<ReceiptList>;
  /** The public keys that receipts are signed with. */
  readonly signingKeys: () => Promise<SigningKeys>;
};

export function transfersApi({ base, call }: Caller): TransfersApi {
  const path = (buildId: string) => `/v1/builds/${pathSegment(buildId, "the build id")}/transfers`;
  const post = async (buildId: string, action: string, body: object) => {
    const request = { method: "POST", path: path(buildId) + action, body, extraTimeMs: lookTimeMs } as const;
    return bodyOf<TransferList>(base, await call({ ...request, expect: "json" }), ["movable"]);
  };
  return {
    list: async (buildId) =>
      bodyOf<TransferList>(base, await call({ method: "GET", path: path(buildId), expect: "json" }), [
        "movable",
      ]),
    start: (buildId, body = {}) => post(buildId, "", body),
    cancel: (buildId, body = {}) => post(buildId, "/cancel", body),
    resume: (buildId, body = {}) => post(buildId, "/resume", body),
    receipts: async (buildId, connector) => {
      const request = { method: "GET", path: `${path(buildId)}/receipts`, query: { connector } } as const;
      return bodyOf<ReceiptList>(base, await call({ ...request, expect: "json" }), ["receipts"]);
    },
    signingKeys: async () => {
      const request = { method: "GET", path: "/v1/signing-keys", expect: "json" } as const;
      return bodyOf<SigningKeys>(base, await call(request), ["keys"]);
    },
  };
}
