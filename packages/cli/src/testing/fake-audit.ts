import {
  type AuditMatch,
  type AuditProblem,
  type AuditVerification,
  acceptedHeadSchema,
  acceptHeadBodySchema,
  auditHeadSchema,
  auditMatchesBodySchema,
  auditMatchesSchema,
  auditVerificationSchema,
  type RotationView,
  rotateLeaseBodySchema,
  rotationSchema,
  verifyAuditBodySchema,
} from "@keyloan/contract";
import { FakeError, type SeenRequest } from "./fake-broker.ts";

/** What the fake knows of its audit and of what it lent. */
export type FakeAudit = {
  /** What was ever lent, by value. */
  readonly issued: Map<string, AuditMatch>;
  problem: AuditProblem | undefined;
  /** What outside the store proves it. */
  anchors: (AuditVerification & { verdict: "anchored" })["anchors"];
  /** Leases whose credentials are shared: they cannot be ended alone. */
  readonly shared: Set<string>;
  /** How a re-issue ends. */
  rotation: RotationView["state"];
};

type Answer = { readonly status?: number; readonly body: unknown; readonly type?: string };

const rows = [1, 2];

export function createFakeAudit() {
  const state: FakeAudit = {
    issued: new Map(),
    problem: undefined,
    anchors: [],
    shared: new Set(),
    rotation: "done",
  };
  const read = ({ query }: SeenRequest, name: string): Answer => {
    if (name === "head") return { body: auditHeadSchema.parse(head) };
    const after = Number(query.get("after") ?? 0);
    const lines = rows.filter((sequence) => sequence > after).map((sequence) => JSON.stringify({ sequence }));
    return { body: lines.map((line) => `${line}\n`).join(""), type: "application/x-ndjson" };
  };
  const verify = ({ body }: SeenRequest): Answer => {
    verifyAuditBodySchema.parse(JSON.parse(body));
    const { problem, anchors } = state;
    const read = { rows: rows.length, heads: 1, lastSequence: 2, givenUp: [], warnings: [] };
    const anchored = { verdict: "anchored", ...read, anchors, through: 2 };
    const sound = anchors.length > 0 ? anchored : { verdict: "self_consistent", ...read };
    return {
      body: auditVerificationSchema.parse(
        problem === undefined ? sound : { verdict: "broken", ...read, problem },
      ),
    };
  };
  const accept = ({ body }: SeenRequest): Answer => {
    acceptHeadBodySchema.parse(JSON.parse(body));
    const { problem } = state;
    if (problem === undefined) throw new FakeError("conflict", "there is nothing to accept", "Look.");
    state.problem = undefined;
    return {
      body: acceptedHeadSchema.parse({
        problem,
        head,
        lostHeads: 3,
        removedKeys: ["sig_forged"],
        removedRows: 0,
      }),
    };
  };
  const match = ({ body }: SeenRequest): Answer => {
    const { values } = auditMatchesBodySchema.parse(JSON.parse(body));
    const matches = values.flatMap((value, index) => {
      const known = state.issued.get(value);
      return known === undefined ? [] : [{ ...known, index }];
    });
    return { body: auditMatchesSchema.parse({ asked: values.length, matches }) };
  };
  return {
    state,
    read,
    ask: (request: SeenRequest, name: string) => {
      if (name === "verify") return verify(request);
      return name === "accept-head" ? accept(request) : match(request);
    },
    rotation: (_request: SeenRequest, id: string): Answer => ({ body: rotation(state.rotation, id) }),
    reissue: ({ body }: SeenRequest, id: string): Answer => {
      rotateLeaseBodySchema.parse(JSON.parse(body));
      if (!state.shared.has(id)) return { status: 202, body: rotation("cutting", id) };
      throw new FakeError("not_supported", "its key is shared", "Rotate the org key.");
    },
  };
}

const rotation = (state: RotationView["state"], lease: string) =>
  rotationSchema.parse({
    lease,
    build: "bld_3k9v0a5m2c7d8e4f6g1h",
    connector: "stripe",
    job: "job_3k9v0a5m2c7d8e4f6g1h",
    state,
    startedAt: head.at,
    provenDead: state === "done",
    next: "Read the env again.",
  });

const head = {
  sequence: 2,
  hash: "ab".repeat(32),
  at: "2026-11-20T12:00:00.000Z",
  signed: "aaaa.bbbb.cccc",
};
