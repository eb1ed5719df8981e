import {
  auditListSchema,
  type BuildView,
  buildListSchema,
  buildSchema,
  catalogSchema,
  createApiTokenBodySchema,
  createBuildBodySchema,
  createBuildTokenBodySchema,
  createHandoffBodySchema,
  type Health,
  handoffSchema,
  healthSchema,
  issuedTokenSchema,
  type OrgKeyView,
  orgKeyListSchema,
  orgKeySchema,
  putOrgKeyBodySchema,
  renewBodySchema,
  tokenListSchema,
  visitListSchema,
  type WarningList,
  warningListSchema,
} from "@keyloan/contract";
import { createFakeAudit, type FakeAudit } from "./fake-audit.ts";
import { type FakeActor, FakeError, type SeenRequest } from "./fake-broker.ts";
import { createFakeDatabases, type FakeDatabases } from "./fake-databases.ts";
import { createFakeJobs, type FakeJobs } from "./fake-jobs.ts";
import { createFakeLeases, type FakeLeases } from "./fake-leases.ts";
import { createFakeReconcile, type FakeReconcile } from "./fake-reconcile.ts";
import { createFakeTransfers, type FakeTransfers } from "./fake-transfers.ts";
import { sampleBuild, sampleBuildId, sampleCatalog, sampleEnv, sampleOrgKey } from "./samples.ts";

export type FakeState = {
  readonly builds: Map<string, BuildView>;
  readonly orgKeys: Map<string, OrgKeyView>;
  readonly leases: FakeLeases;
  readonly buildsByKey: Map<string, { readonly body: string; readonly id: string }>;
  env: Readonly<Record<string, unknown>>;
  health: Health;
  warnings: WarningList;
  readonly moving: FakeTransfers;
  readonly working: FakeJobs;
  readonly holding: FakeDatabases;
  readonly audit: FakeAudit;
  readonly comparing: FakeReconcile;
};

export type FakeAnswer = { readonly status?: number; readonly body?: unknown; readonly type?: string };
type Handler = (request: SeenRequest, id: string, actor: FakeActor) => FakeAnswer;

const expiresAt = "2099-01-01T00:00:00.000Z";
const notFound = () => new FakeError("not_found", "there is no such thing", "Check the id.");

/** The routes of the fake over a state of their own. */
export function createFakeRoutes(): {
  readonly state: FakeState;
  readonly route: (request: SeenRequest, actor: FakeActor) => FakeAnswer;
} {
  const transfers = createFakeTransfers();
  const jobs = createFakeJobs();
  const audit = createFakeAudit();
  const databases = createFakeDatabases();
  const reconcile = createFakeReconcile();
  const leases = createFakeLeases();
  const state: FakeState = {
    leases: leases.state,
    moving: transfers.state,
    working: jobs.state,
    audit: audit.state,
    comparing: reconcile.state,
    holding: databases.state,
    builds: new Map([[sampleBuildId, sampleBuild(sampleBuildId, { name: "todo-app" }, Date.now())]]),
    orgKeys: new Map(),
    buildsByKey: new Map(),
    env: sampleEnv,
    health: { status: "ok", version: "0.1.0", parts: [{ name: "store", ok: true }] },
    warnings: { warnings: [] },
  };
  const routes = {
    ...buildRoutes(state),
    ...leaseRoutes(leases),
    ...transferRoutes(transfers),
    ...jobRoutes(jobs),
    ...databaseRoutes(databases),
    ...auditRoutes(audit),
    ...reconcileRoutes(reconcile),
    ...adminRoutes(state),
  };
  const route = (request: SeenRequest, actor: FakeActor): FakeAnswer => {
    const [, version, resource = "", id = "", ...actions] = request.path.split("/");
    const action = actions.join("/");
    const pattern =
      version === "health"
        ? "GET /health"
        : `${request.method} /${resource}${id === "" ? "" : "/:id"}${action === "" ? "" : `/${action}`}`;
    const found = routes[pattern];
    if (found === undefined) throw notFound();
    if (
      !found.who.includes(actor.kind) ||
      (id !== "" && actor.buildId !== undefined && actor.buildId !== id)
    ) {
      throw new FakeError("forbidden", "this token may not do that", "Use a token with the scope.");
    }
    return found.answer(request, decodeURIComponent(id), actor);
  };
  return { state, route };
}

type Routes = Record<string, { readonly who: readonly FakeActor["kind"][]; readonly answer: Handler }>;

function buildRoutes(state: FakeState): Routes {
  const who = ["admin", "platform"] as const;
  const find = (id: string) => {
    const build = state.builds.get(id);
    if (build === undefined) throw notFound();
    return build;
  };
  const save = (build: BuildView, status = 200) => {
    state.builds.set(build.id, buildSchema.parse(build));
    return { status, body: build };
  };
  return {
    "POST /builds": { who, answer: (request) => createBuild(state, request, save) },
    "GET /builds": { who, answer: ({ query }) => ({ body: pageOfBuilds(state, query) }) },
    "GET /builds/:id": { who, answer: (_, id) => ({ body: find(id) }) },
    "DELETE /builds/:id": {
      who,
      answer: (_, id) =>
        save({ ...find(id), state: "closed", closedAt: new Date().toISOString(), leases: [] }),
    },
    "POST /builds/:id/renew": {
      who: [...who, "workload"],
      answer: (request, id) => {
        parse(renewBodySchema, request);
        return save({ ...find(id), expiresAt });
      },
    },
    ...visitorRoutes(),
    "POST /builds/:id/tokens": {
      who,
      answer: (request, id) => {
        parse(createBuildTokenBodySchema, request);
        find(id);
        const token = { id: "tok_3k9v0a5m2c7d8e4f6g1h", token: "klo_bld_new", expiresAt };
        return { status: 201, body: issuedTokenSchema.parse(token) };
      },
    },
    "POST /builds/:id/handoff": {
      who,
      answer: (request, id) => {
        parse(createHandoffBodySchema, request);
        const only = find(id).state === "handed_off" ? { personOnly: true } : {};
        const url = "http://127.0.0.1/settings#code=klo_hnd_new";
        return { status: 201, body: handoffSchema.parse({ url, expiresAt, ...only }) };
      },
    },
    "GET /builds/:id/env": {
      who: ["workload", "admin"],
      answer: ({ query }, id) => {
        find(id);
        if (query.get("format") === "json") return { body: state.env };
        const lines = Object.entries(state.env).map(([name, value]) => `${name}=${value}\n`);
        return { body: lines.join(""), type: "text/plain; charset=utf-8" };
      },
    },
  };
}

function jobRoutes(jobs: ReturnType<typeof createFakeJobs>): Routes {
  const who = ["admin"] as const;
  return {
    "GET /jobs": { who, answer: jobs.list },
    "GET /jobs/:id": { who, answer: jobs.show },
    "POST /jobs/:id/retry": { who, answer: jobs.retry },
    "POST /jobs/:id/cancel": { who, answer: jobs.cancel },
    "POST /jobs/:id/values": { who, answer: jobs.supply },
  };
}

function auditRoutes(audit: ReturnType<typeof createFakeAudit>): Routes {
  const who = ["admin"] as const;
  return {
    "GET /audit/:id": { who, answer: audit.read },
    "POST /audit/:id": { who, answer: audit.ask },
    "POST /leases/:id/rotation": { who, answer: audit.reissue },
    "GET /leases/:id/rotation": { who, answer: audit.rotation },
  };
}

function reconcileRoutes(reconcile: ReturnType<typeof createFakeReconcile>): Routes {
  const who = ["admin"] as const;
  return {
    "POST /reconcile": { who, answer: reconcile.run },
    "POST /reconcile/:id": { who, answer: reconcile.endUnknown },
    "POST /org-keys/:id/retire": { who, answer: reconcile.retire },
    "POST /root-key/:id": { who, answer: reconcile.rewrap },
    "GET /root-key": { who, answer: reconcile.rootKey },
  };
}

function databaseRoutes(databases: ReturnType<typeof createFakeDatabases>): Routes {
  const who = ["admin", "platform"] as const;
  const of = (connector: string): Routes => ({
    [`POST /builds/:id/databases/${connector}/archive`]: { who, answer: () => databases.archive(connector) },
    [`POST /builds/:id/databases/${connector}/restore`]: { who, answer: () => databases.restore(connector) },
    [`GET /builds/:id/databases/${connector}/download`]: { who, answer: () => databases.download(connector) },
  });
  return { "GET /builds/:id/databases": { who, answer: databases.list }, ...of("turso"), ...of("neon") };
}

function transferRoutes(transfers: ReturnType<typeof createFakeTransfers>): Routes {
  const who = ["admin", "platform"] as const;
  return {
    "GET /builds/:id/transfers": { who, answer: transfers.list },
    "POST /builds/:id/transfers": {
      who,
      answer: (request) => {
        const begun = transfers.start(request);
        if (begun !== undefined) return begun;
        throw new FakeError(
          "target_not_empty",
          "there are tables already",
          "Say that it may be overwritten.",
        );
      },
    },
    "POST /builds/:id/transfers/cancel": { who, answer: transfers.cancel },
    "POST /builds/:id/transfers/resume": { who, answer: transfers.resume },
    "GET /builds/:id/transfers/receipts": {
      who,
      answer: ({ query }, id) => transfers.receipts(id, query.get("connector")),
    },
    "GET /signing-keys": { who, answer: transfers.signingKeys },
  };
}

/** One token and one visit, which only their own ids end. */
function visitorRoutes(): Routes {
  const who = ["admin", "platform"] as const;
  const at = "2026-11-20T12:00:00.000Z";
  const token = { id: "tok_3k9v0a5m2c7d8e4f6g1h", kind: "build", name: "build token", scopes: [] };
  const visit = { id: "ses_3k9v0a5m2c7d8e4f6g1h", openedBy: "link", isPerson: true };
  return {
    "GET /builds/:id/tokens": {
      who,
      answer: () => ({ body: tokenListSchema.parse({ tokens: [{ ...token, createdAt: at, expiresAt }] }) }),
    },
    [`DELETE /builds/:id/tokens/${token.id}`]: { who, answer: () => ({ status: 204 }) },
    "GET /builds/:id/sessions": {
      who,
      answer: () => ({
        body: visitListSchema.parse({ sessions: [{ ...visit, openedAt: at, lastUsedAt: at, expiresAt }] }),
      }),
    },
    [`DELETE /builds/:id/sessions/${visit.id}`]: { who, answer: () => ({ status: 204 }) },
  };
}

function createBuild(
  state: FakeState,
  request: SeenRequest,
  save: (build: BuildView, status?: number) => FakeAnswer,
): FakeAnswer {
  const body = parse(createBuildBodySchema, request);
  const key = String(request.headers["idempotency-key"] ?? "");
  const before = state.buildsByKey.get(key);
  if (before !== undefined && before.body !== request.body) {
    throw new FakeError("idempotency_conflict", "the key was used with another body", "Use a new key.");
  }
  const known = before === undefined ? undefined : state.builds.get(before.id);
  if (known !== undefined) return { status: 201, body: known };
  const id = `bld_${String(state.builds.size).padStart(20, "0")}`;
  if (key !== "") state.buildsByKey.set(key, { body: request.body, id });
  return save(sampleBuild(id, body, Date.now()), 201);
}

function pageOfBuilds(state: FakeState, query: URLSearchParams) {
  const wanted = query.get("state");
  const all = [...state.builds.values()].filter((build) => wanted === null || build.state === wanted);
  const start = Number(query.get("cursor") ?? 0);
  const end = start + Number(query.get("limit") ?? 50);
  const nextCursor = end < all.length ? { nextCursor: String(end) } : {};
  return buildListSchema.parse({ builds: all.slice(start, end), ...nextCursor });
}

function leaseRoutes({ list, show, revoke, revokeMany }: ReturnType<typeof createFakeLeases>): Routes {
  const who = ["admin", "platform"] as const;
  return {
    "GET /leases": { who, answer: list },
    "GET /leases/:id": { who, answer: show },
    "DELETE /leases/:id": { who, answer: revoke },
    "POST /leases/:id": { who: ["admin"], answer: revokeMany },
  };
}

function adminRoutes(state: FakeState): Routes {
  const who = ["admin"] as const;
  const everyone = ["admin", "platform", "workload", "nobody"] as const;
  const token = { id: "tok_3k9v0a5m2c7d8e4f6g1h", kind: "api" as const, name: "app-builder" };
  const event = { id: "evt_1", at: "2026-11-20T12:00:00.000Z", actor: "admin:admin", action: "env.read" };
  return {
    "GET /health": {
      who: everyone,
      answer: () => ({
        status: state.health.status === "ok" ? 200 : 503,
        body: healthSchema.parse(state.health),
      }),
    },
    "GET /warnings": { who, answer: () => ({ body: warningListSchema.parse(state.warnings) }) },
    "GET /catalog": { who: everyone, answer: () => ({ body: catalogSchema.parse(sampleCatalog) }) },
    "GET /org-keys": {
      who,
      answer: () => ({
        body: orgKeyListSchema.parse({
          orgKeys: [...state.orgKeys.values(), ...state.comparing.replaced.values()],
        }),
      }),
    },
    "GET /org-keys/:id": { who, answer: (_, id) => ({ body: orgKeySchema.parse(keyOf(state, id)) }) },
    "PUT /org-keys/:id": {
      who,
      answer: (request, id) => {
        parse(putOrgKeyBodySchema, request);
        const key = sampleOrgKey(id, (state.orgKeys.get(id)?.version ?? 0) + 1, Date.now());
        state.orgKeys.set(id, key);
        return { body: orgKeySchema.parse(key) };
      },
    },
    "DELETE /org-keys/:id": {
      who,
      answer: (_, id) => {
        keyOf(state, id);
        state.orgKeys.delete(id);
        return { status: 204 };
      },
    },
    "POST /tokens": {
      who,
      answer: (request) => {
        parse(createApiTokenBodySchema, request);
        return { status: 201, body: issuedTokenSchema.parse({ id: token.id, token: "klo_api_new" }) };
      },
    },
    "GET /tokens": {
      who,
      answer: () => ({
        body: tokenListSchema.parse({ tokens: [{ ...token, scopes: ["builds:read"], createdAt: event.at }] }),
      }),
    },
    "DELETE /tokens/:id": { who, answer: () => ({ status: 204 }) },
    "GET /audit": {
      who,
      answer: () => ({
        body: auditListSchema.parse({ events: [{ ...event, entity: sampleBuildId, details: {} }] }),
      }),
    },
  };
}

function keyOf(state: FakeState, connector: string): OrgKeyView {
  const key = state.orgKeys.get(connector);
  if (key === undefined) throw notFound();
  return key;
}

type Issue = { readonly path: readonly PropertyKey[]; readonly message: string };
type Schema<T> = {
  readonly safeParse: (
    value: unknown,
  ) =>
    | { readonly success: true; readonly data: T }
    | { readonly success: false; readonly error: { readonly issues: readonly Issue[] } };
};

function parse<T>(schema: Schema<T>, request: SeenRequest): T {
  if (request.headers["content-type"] !== "application/json") {
    throw new FakeError("unsupported_media_type", "the body must be JSON", "Send application/json.");
  }
  const parsed = schema.safeParse(JSON.parse(request.body));
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
  throw new FakeError("invalid_input", "the body is not as it should be", "Correct these fields.", {
    problems,
  });
}
