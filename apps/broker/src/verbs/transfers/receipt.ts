import {
  type Actor,
  type ReceiptPayload,
  type ReceiptView,
  receiptPayloadSchema,
  receiptType,
} from "@keyloan/contract";
import { countRows } from "@keyloan/database-provisioner";
import type { PersonRow, TransferRow } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { isoTime } from "../../iso-time.ts";
import type { KnownKeys } from "../../signing.ts";
import type { Moved } from "./move-data.ts";

/**
 * Signs what was moved, from where to where, and what it was proven by. Nothing secret is in it; the user's account and
 * address are, so only {@link shownReceipt} hands it out.
 */
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

/**
 * A receipt as this caller may have it. The person whose account it names has it whole; everybody else has the same
 * without that, signed anew, so that it is proven as well.
 */
export async function shownReceipt(
  deps: Deps,
  caller: { readonly actor: Actor; readonly person: PersonRow | undefined },
  receipt: string,
  whole: ReceiptPayload,
): Promise<Pick<ReceiptView, "content" | "receipt">> {
  // Who came after starting over has nothing of the one before.
  const isTheirs = caller.person !== undefined && caller.person.id === whole.to?.person;
  if (caller.actor.kind === "session" && isTheirs) return { content: whole, receipt };
  const { to: _, ...content } = whole;
  return { content, receipt: await deps.signer.sign(receiptType, content) };
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
  const person = key?.personId ?? undefined;
  return {
    ...(account === undefined ? {} : { account }),
    ...(typed === undefined ? {} : { address: typed }),
    ...(person === undefined ? {} : { person }),
  };
}
