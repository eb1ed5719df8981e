import { type ReceiptPayload, receiptPayloadSchema, receiptType } from "@keyloan/contract";
import { countRows } from "@keyloan/database-provisioner";
import type { TransferRow } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import type { KnownKeys } from "../../signing.ts";
import { isoTime } from "../builds/views.ts";
import type { Moved } from "./move-data.ts";

/** Signs what was moved, from where to where, and what it was proven by. Nothing secret is in it. */
export async function signReceipt(
  deps: Deps,
  row: TransferRow,
  moved: Moved,
  provenAt: number,
): Promise<string> {
  const lease = await deps.store.read.leases.find(row.leaseId);
  const payload: ReceiptPayload = {
    transferId: row.id,
    buildId: row.buildId,
    connector: row.connectorId,
    kind: row.kind,
    from: { ...lease?.handle },
    to: await targetOf(deps, row),
    startedAt: isoTime(row.createdAt),
    provenAt: isoTime(provenAt),
    proof: "equal",
    ...whatMoved(moved),
  };
  return deps.signer.sign(receiptType, payload);
}

/** What a receipt says; `undefined` when no key of this broker signed it as one, whoever put it into the store. */
export async function readReceipt(keys: KnownKeys, receipt: string): Promise<ReceiptPayload | undefined> {
  const signed = await keys.verify(receipt);
  return signed?.type === receiptType ? receiptPayloadSchema.safeParse(signed.payload).data : undefined;
}

function whatMoved(moved: Moved): Pick<ReceiptPayload, "database" | "storage"> {
  if (moved.kind === "storage") {
    const { objects, bytes, manifestSha256 } = moved.manifest;
    return { storage: { objects, bytes, manifestSha256 } };
  }
  const { schemaSha256, tables } = moved.summary;
  return { database: { schemaSha256, rows: countRows(moved.summary), tables } };
}

/** The user's account as its provider names it, and the address they typed; never a secret. */
async function targetOf(deps: Deps, row: TransferRow): Promise<ReceiptPayload["to"]> {
  const key = (await deps.store.read.userKeys.listByBuild(row.buildId)).find(
    ({ id }) => id === row.userKeyId,
  );
  const address = deps.connectors
    .get(row.connectorId)
    ?.spec.env.find(({ role, secret }) => role === "address" && !secret);
  const typed = address === undefined ? undefined : key?.previews[address.name];
  const account = key?.check.status === "valid" ? key.check.account : undefined;
  return {
    ...(account === undefined ? {} : { account }),
    ...(typed === undefined ? {} : { address: typed }),
  };
}
