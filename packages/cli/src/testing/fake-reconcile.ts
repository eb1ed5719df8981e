import {
  endUnknownBodySchema,
  type Finding,
  findingSchema,
  type OrgKeyView,
  orgKeyListSchema,
  type ReconcileReport,
  reconcileBodySchema,
  reconcileReportSchema,
  retireOrgKeyBodySchema,
  rootKeyStatusSchema,
} from "@keyloan/contract";
import { FakeError, type SeenRequest } from "./fake-broker.ts";

/** What the fake knows of replaced keys and of what providers hold. */
export type FakeReconcile = {
  /** Versions that were replaced, by connector. */
  readonly replaced: Map<string, OrgKeyView>;
  /** The provider refuses replaced keys from now on. */
  oldIsDead: boolean;
  findings: readonly Finding[];
  /** Steps that rewrapping takes yet. */
  rewrapsLeft: number;
};

type Answer = { readonly body: unknown };

const unknownName = "kl-3k9v0a5m2c7d8e4f6g1h";
export const sampleFindings: readonly Finding[] = [
  { kind: "left_over", name: "kl-over", action: "ended", message: "Left over of a lease that has ended." },
  {
    kind: "unknown",
    name: unknownName,
    action: "told",
    message: "No row knows it.",
    remedy: "End it by name.",
  },
];

export function createFakeReconcile() {
  const state: FakeReconcile = { replaced: new Map(), oldIsDead: false, findings: [], rewrapsLeft: 0 };
  const report = (dryRun: boolean): ReconcileReport =>
    reconcileReportSchema.parse({
      at: "2026-11-20T12:00:00.000Z",
      dryRun,
      policy: "mend",
      needsPerson: state.findings.some(({ action }) => action === "told"),
      connectors: [
        { connector: "turso", state: "compared", listed: 4, findings: state.findings, unlisted: 0 },
      ],
    });
  return {
    state,
    run: ({ body }: SeenRequest): Answer => {
      const { dryRun } = reconcileBodySchema.parse(JSON.parse(body));
      return { body: report(dryRun) };
    },
    endUnknown: ({ body }: SeenRequest): Answer => {
      const { name } = endUnknownBodySchema.parse(JSON.parse(body));
      const found = state.findings.find((finding) => finding.name === name && finding.kind === "unknown");
      if (found === undefined)
        throw new FakeError("not_found", "nothing of that name is listed", "Look again.");
      return { body: findingSchema.parse({ ...found, action: "ended" }) };
    },
    retire: ({ body }: SeenRequest, connector: string): Answer => {
      const { end } = retireOrgKeyBodySchema.parse(JSON.parse(body));
      const old = state.replaced.get(connector);
      if (old === undefined) return { body: orgKeyListSchema.parse({ orgKeys: [] }) };
      const { todo: _todo, ...rest } = old;
      const isDead = state.oldIsDead || end;
      const after = isDead ? { ...rest, state: "retired", provenDeadAt: "2026-11-20T12:00:00.000Z" } : old;
      return { body: orgKeyListSchema.parse({ orgKeys: [after] }) };
    },
    rewrap: (): Answer => {
      state.rewrapsLeft = Math.max(0, state.rewrapsLeft - 1);
      const left = state.rewrapsLeft;
      return { body: { dataKeys: 3, rewrapped: 2, left, currentKeyId: "rk-0011223344556677" } };
    },
    rootKey: (): Answer => ({
      body: rootKeyStatusSchema.parse({
        currentKeyId: "rk-0011223344556677",
        dataKeys: 3,
        left: 1,
        rootKeys: [
          { id: "rk-0011223344556677", state: "current", dataKeys: 2 },
          { id: "rk-8899aabbccddeeff", state: "opens", dataKeys: 1 },
        ],
      }),
    }),
  };
}
