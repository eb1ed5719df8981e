import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import {
  changeTransferBodySchema,
  type MovableView,
  receiptListSchema,
  type SigningKeyView,
  signingKeysSchema,
  startTransferBodySchema,
  type TransferView,
  transferListSchema,
} from "@keyloan/contract";
import type { SeenRequest } from "./fake-broker.ts";

/** What the fake knows of moving data; each listing brings what is under way one step on. */
export type FakeTransfers = {
  readonly transfers: Map<string, TransferView>;
  /** What the next one that begins ends with. */
  ending: "copied" | "failed";
  /** The user's database holds something. */
  occupied: boolean;
};

type Answer = { readonly status?: number; readonly body: unknown };
const kid = "sig_3k9v0a5m2c7d8e4f6g1h";
const { publicKey, privateKey } = generateKeyPairSync("ed25519");

export function createFakeTransfers() {
  const state: FakeTransfers = { transfers: new Map(), ending: "copied", occupied: false };
  const list = (status = 200): Answer => ({
    status,
    body: transferListSchema.parse({ movable: ["turso", "r2"].map((id) => movableOf(state, id)) }),
  });
  const begin = (connectors: readonly string[] = ["turso", "r2"]) => {
    for (const connector of connectors) state.transfers.set(connector, begun(connector));
    return list(202);
  };
  return {
    state,
    list: () => {
      const answer = list();
      for (const [connector, transfer] of state.transfers)
        state.transfers.set(connector, next(state, transfer));
      return answer;
    },
    /** `undefined`: the target is not empty. */
    start: ({ body }: SeenRequest) => {
      const { connectors, overwrite } = startTransferBodySchema.parse(JSON.parse(body));
      return state.occupied && !overwrite ? undefined : begin(connectors);
    },
    resume: ({ body }: SeenRequest) => begin(changeTransferBodySchema.parse(JSON.parse(body)).connectors),
    cancel: ({ body }: SeenRequest) => {
      changeTransferBodySchema.parse(JSON.parse(body));
      for (const [id, transfer] of state.transfers)
        state.transfers.set(id, { ...transfer, state: "cancelled" });
      return list(202);
    },
    receipts: (buildId: string, connector: string | null) => {
      const receipts = ["turso", "r2"].filter((id) => connector === null || id === connector);
      return { body: receiptListSchema.parse({ receipts: receipts.map((id) => receiptOf(buildId, id)) }) };
    },
    signingKeys: () => ({ body: signingKeysSchema.parse({ keys: [jwkOf(publicKey)] }) }),
  };
}

function movableOf({ transfers }: FakeTransfers, connector: string): MovableView {
  const transfer = transfers.get(connector);
  const kind = connector === "turso" ? "database" : "storage";
  return {
    connector,
    kind,
    canStart: transfer === undefined,
    ...(transfer === undefined ? {} : { transfer }),
  };
}

function begun(connector: string): TransferView {
  const counts =
    connector === "turso" ? { rows: 10, rowsTotal: 20_000 } : { objects: 3, objectsTotal: 300, bytes: 1200 };
  return {
    id: "trf_3k9v0a5m2c7d8e4f6g1h",
    connector,
    kind: connector === "turso" ? "database" : "storage",
    state: "copying",
    progress: { phase: "copying", ...counts },
    overwrite: false,
    sourceReadOnly: connector === "turso",
    tidying: false,
    startedAt: "2026-11-20T12:00:00.000Z",
    receipt: false,
  };
}

function next(state: FakeTransfers, transfer: TransferView): TransferView {
  if (transfer.state !== "copying") return transfer;
  const { rowsTotal, objectsTotal } = transfer.progress;
  const progress = {
    phase: "proven" as const,
    rows: rowsTotal,
    rowsTotal,
    objects: objectsTotal,
    objectsTotal,
  };
  if (state.ending === "copied") {
    return { ...transfer, state: "copied", progress, receipt: true, switchBy: "2099-01-01T00:00:00.000Z" };
  }
  const error = { code: "quota_exceeded", message: "there is not enough room", remedy: "Make room there." };
  return { ...transfer, state: "failed", error: { ...error, retryable: false } };
}

function receiptOf(buildId: string, connector: string) {
  const content = {
    transferId: "trf_3k9v0a5m2c7d8e4f6g1h",
    buildId,
    connector,
    kind: connector === "turso" ? ("database" as const) : ("storage" as const),
    from: { name: `kl-${connector}` },
    startedAt: "2026-11-20T12:00:00.000Z",
    provenAt: "2026-11-20T12:01:00.000Z",
    proof: "equal" as const,
    ...(connector === "turso"
      ? {
          database: {
            schemaSha256: "aa".repeat(32),
            rows: 20_000,
            tables: [{ name: "notes", rows: 20_000, sha256: "bb".repeat(32) }],
          },
        }
      : { storage: { objects: 300, bytes: 120_000, manifestSha256: "cc".repeat(32) } }),
  };
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signed = `${part({ alg: "EdDSA", kid, typ: "keyloan-receipt+jwt" })}.${part(content)}`;
  const receipt = `${signed}.${sign(null, Buffer.from(signed), privateKey).toString("base64url")}`;
  return { connector, transferId: content.transferId, content, receipt };
}

function jwkOf(key: KeyObject): SigningKeyView {
  const { x = "" } = key.export({ format: "jwk" });
  return { kty: "OKP", crv: "Ed25519", x, kid, alg: "EdDSA", use: "sig" };
}
