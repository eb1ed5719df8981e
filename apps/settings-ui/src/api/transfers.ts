import {
  addressOf,
  databaseRoutes,
  pageTransferRoutes,
  type ReceiptList,
  type TransferList,
} from "@keyloan/contract";
import { call } from "./request.ts";

export const readTransfers = (): Promise<TransferList> => call(pageTransferRoutes.show, {});

/** Begins to move one service's data. @throws RequestError `target_not_empty` unless it may be overwritten */
export const startTransfer = (connector: string, overwrite: boolean): Promise<TransferList> =>
  call(pageTransferRoutes.start, { body: { connectors: [connector], overwrite } });

/** Goes on with what failed or was stopped. */
export const resumeTransfer = (connector: string, overwrite: boolean): Promise<TransferList> =>
  call(pageTransferRoutes.resume, { body: { connectors: [connector], ...(overwrite ? { overwrite } : {}) } });

/** Stops everything that is being moved, and takes away what was copied. */
export const cancelTransfers = (): Promise<TransferList> => call(pageTransferRoutes.cancel, {});

export const readReceipts = (): Promise<ReceiptList> => call(pageTransferRoutes.receipts, {});

/** Where the browser downloads a lent database as a file. A link has no headers, so the build is in it. */
export const databaseFilePath = (connector: string, build: string): string =>
  addressOf(databaseRoutes.ownDownload, { params: { connector }, query: { build } }).path;
