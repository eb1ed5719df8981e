import type { BuildView, Catalog, CreateBuildBody, LeaseView, OrgKeyView } from "@keyloan/contract";

export const sampleBuildId = "bld_3k9v0a5m2c7d8e4f6g1h";
export const adminToken = "klo_admin_canary-admin-token-0123456789";
export const apiToken = "klo_api_canary-api-token-0123456789";
export const buildToken = "klo_bld_canary-build-token-0123456789";

/** Twelve variables, as a build with the usual connectors has. */
export const sampleEnv: Readonly<Record<string, string>> = {
  TURSO_DATABASE_URL: "libsql://kl-3k9v0a5m2c7d8e4f6g1h.example.com",
  TURSO_AUTH_TOKEN: "canary-turso-auth-token-000000000000000000000000000000000000000000",
  R2_ENDPOINT: "https://account.example.com",
  R2_BUCKET: "builds",
  R2_PREFIX: "builds/bld_3k9v0a5m2c7d8e4f6g1h/",
  R2_ACCESS_KEY_ID: "canary-r2-access-key-id",
  R2_SECRET_ACCESS_KEY: "canary-r2-secret-access-key",
  R2_SESSION_TOKEN: "canary-r2-session-token-00000000000000000000000000000000000000000",
  CLERK_SECRET_KEY: "sk_test_canary-clerk",
  STRIPE_SECRET_KEY: "rk_test_canary-stripe",
  JWT_SECRET: "canary-jwt 'quoted' \"twice\" $HOME #not-a-comment",
  CHECKOUT_TOKEN_SECRET: "canary-checkout",
};

const hourMs = 3_600_000;
const isoAt = (milliseconds: number) => new Date(milliseconds).toISOString();

export function sampleLease(connector: string, nowMs: number, more: Partial<LeaseView> = {}): LeaseView {
  return {
    id: "lse_3k9v0a5m2c7d8e4f6g1h",
    connector,
    state: "active",
    grade: "B",
    gradeMeaning: "a resource of its own with a token for that resource alone",
    revocation: "the token stops working and the resource is deleted",
    resource: { name: `kl-${connector}-3k9v0a5m2c7d` },
    issuedAt: isoAt(nowMs),
    expiresAt: isoAt(nowMs + 24 * hourMs),
    attempts: 1,
    ...more,
  };
}

export function sampleBuild(id: string, body: CreateBuildBody, nowMs: number): BuildView {
  const connectors = (body.connectors ?? ["turso", "r2"]).map((each) =>
    typeof each === "string" ? each : each.id,
  );
  return {
    id,
    name: body.name,
    state: "ready",
    profile: body.profile ?? "plain",
    createdAt: isoAt(nowMs),
    expiresAt: isoAt(nowMs + (body.ttlSeconds ?? 86_400) * 1000),
    renewableUntil: isoAt(nowMs + 30 * 24 * hourMs),
    leases: connectors.map((connector) => sampleLease(connector, nowMs)),
  };
}

export function sampleOrgKey(connector: string, version: number, nowMs: number): OrgKeyView {
  return {
    connector,
    version,
    state: "active",
    fingerprint: "fp_0123456789abcdef",
    account: "acme",
    capabilities: [
      { name: "create databases", state: "works" },
      { name: "read usage", state: "missing", remedy: "Grant the key the permission to read usage." },
    ],
    warnings: ["the key never expires"],
    putAt: isoAt(nowMs),
    checkedAt: isoAt(nowMs),
    checkStatus: "valid",
    leasesInUse: 0,
    flagged: 0,
    flags: [],
    ageDays: 0,
    canEnd: false,
  };
}

export const sampleCatalog: Catalog = {
  connectors: [
    {
      id: "turso",
      label: "Turso",
      category: "database",
      summary: "A SQL database that the app keeps its rows in.",
      grade: "B",
      gradeMeaning: "a resource of its own with a token for that resource alone",
      revocation: "the token stops working and the database is deleted",
      orgFields: [
        { name: "organization", label: "Organization", secret: false },
        {
          name: "platformToken",
          label: "Platform API token",
          secret: true,
          helpUrl: "https://example.com/keys",
        },
        { name: "group", label: "Group", secret: false, optional: true },
      ],
      env: [
        { name: "TURSO_DATABASE_URL", label: "Database URL", secret: false, exposure: "server" },
        { name: "TURSO_AUTH_TOKEN", label: "Database token", secret: true, exposure: "server" },
      ],
    },
    {
      id: "app-secrets",
      label: "App secrets",
      category: "app",
      summary: "Random secrets that the app signs with.",
      grade: "B",
      gradeMeaning: "a resource of its own with a token for that resource alone",
      revocation: "the value is shredded",
      orgFields: [],
      env: [{ name: "JWT_SECRET", label: "Signing secret", secret: true, exposure: "server" }],
    },
  ],
};
