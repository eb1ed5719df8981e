import type {
  ChangeTransferBody,
  ReceiptList,
  SigningKeys,
  StartTransferBody,
  TransferList,
} from "@keyloan/contract";
import { signingKeyRoutes, transferRoutes } from "@keyloan/contract/calls";
import { ask, type Caller } from "./call.ts";

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

export function transfersApi(caller: Caller): TransfersApi {
  return {
    list: (id) => ask(caller, transferRoutes.show, { params: { id } }),
    start: (id, body = {}) => ask(caller, transferRoutes.start, { params: { id }, body }),
    cancel: (id, body = {}) => ask(caller, transferRoutes.cancel, { params: { id }, body }),
    resume: (id, body = {}) => ask(caller, transferRoutes.resume, { params: { id }, body }),
    receipts: (id, connector) =>
      ask(caller, transferRoutes.receipts, { params: { id }, query: { connector } }),
    signingKeys: () => ask(caller, signingKeyRoutes.list, {}),
  };
}
