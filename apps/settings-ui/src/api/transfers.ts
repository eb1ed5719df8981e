import type { ReceiptList, TransferList } from "@keyloan/contract";
import { requestJson } from "./request.ts";

const path = "/v1/settings/transfer";

export const readTransfers = (): Promise<TransferList> => requestJson("GET", path);

/** Begins to move one service's data. @throws RequestError `target_not_empty` unless it may be overwritten */
export const startTransfer = (connector: string, overwrite: boolean): Promise<TransferList> =>
  requestJson("POST", path, { body: { connectors: [connector], overwrite } });

/** Goes on with what failed or was stopped. */
export const resumeTransfer = (connector: string, overwrite: boolean): Promise<TransferList> =>
  requestJson("POST", `${path}/resume`, {
    body: { connectors: [connector], ...(overwrite ? { overwrite } : {}) },
  });

/** Stops everything that is being moved, and takes away what was copied. */
export const cancelTransfers = (): Promise<TransferList> => requestJson("POST", `${path}/cancel`);

export const readReceipts = (): Promise<ReceiptList> => requestJson("GET", `${path}/receipt`);

/** Where the browser downloads a lent database as a file. A link has no headers, so the build is in it. */
export const databaseFilePath = (connector: string, build: string): string =>
  `/v1/settings/databases/${encodeURIComponent(connector)}/download?${new URLSearchParams({ build })}`;
