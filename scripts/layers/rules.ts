/** What one workspace package may use of the others. A package that is not listed is refused. */
export type PackageRule = {
  readonly mayImport: readonly string[];
  /** For tests and for what runs in development only. `"*"` is any package. */
  readonly mayImportInDevelopment?: readonly string[] | "*";
};

const layersOneToThree = [
  "contract",
  "archive-store",
  "connectors",
  "key-validator",
  "env-generator",
  "database-provisioner",
  "vault",
  "store",
  "org-keys",
];

/** THE table of workspace edges; names are package names without the scope. Arrows point down only. */
export const packageRules: Readonly<Record<string, PackageRule>> = {
  contract: { mayImport: [] },
  vault: { mayImport: ["contract"] },
  store: { mayImport: ["contract"] },
  "s3-objects": { mayImport: ["contract"], mayImportInDevelopment: ["local-servers"] },
  connectors: { mayImport: ["contract", "s3-objects"], mayImportInDevelopment: ["local-servers"] },
  "key-validator": { mayImport: ["contract"] },
  "env-generator": { mayImport: ["contract"] },
  "archive-store": { mayImport: ["contract", "s3-objects"], mayImportInDevelopment: ["local-servers"] },
  "database-provisioner": { mayImport: ["contract"] },
  sdk: { mayImport: ["contract"] },
  cli: {
    mayImport: ["contract", "env-generator", "key-validator", "sdk"],
    mayImportInDevelopment: ["test-kit"],
  },
  "org-keys": { mayImport: ["contract", "key-validator", "vault", "store"] },
  broker: { mayImport: layersOneToThree, mayImportInDevelopment: "*" },
  "settings-ui": { mayImport: ["contract", "key-validator", "sdk"], mayImportInDevelopment: ["test-kit"] },
  "local-servers": { mayImport: ["contract"] },
  "dev-providers": { mayImport: ["connectors", "contract", "local-servers", "sdk", "test-kit"] },
  "test-kit": { mayImport: ["broker", "connectors", "contract", "sdk"] },
};

/** Third-party libraries that have one home each; a name that ends in `/*` is a whole scope. */
export const libraryHomes: Readonly<Record<string, readonly string[]>> = {
  "libsodium-wrappers": ["vault", "settings-ui"],
  "drizzle-orm": ["store"],
  "@libsql/client": ["store", "connectors"],
  libsql: ["store"],
  stripe: ["connectors"],
  "@clerk/backend": ["connectors"],
  "@aws-sdk/*": ["s3-objects"],
  "@tursodatabase/api": ["connectors"],
  hono: ["broker", "local-servers", "dev-providers"],
  "@hono/*": ["broker", "local-servers", "dev-providers"],
  "age-encryption": ["env-generator", "cli"],
  jose: ["broker", "connectors", "local-servers"],
  pino: ["broker"],
  "prom-client": ["broker"],
  react: ["settings-ui"],
};

/** Packages that were chosen: production calls through each, and a type alone is no call. */
export const chosenPackages: readonly string[] = [
  "hono",
  "@hono/node-server",
  "@libsql/client",
  "@tursodatabase/api",
  "@aws-sdk/client-s3",
  "@clerk/backend",
  "stripe",
  "jose",
  "libsodium-wrappers",
  "drizzle-orm",
  "zod",
];

/** Packages that exist for development: what they import may be development-only too. */
export const developmentPackages: ReadonlySet<string> = new Set([
  "local-servers",
  "dev-providers",
  "test-kit",
]);

/** Where plaintext may be taken out of a `Secret`. A folder ends in a slash; anything else is one file. */
export const revealHomes: readonly string[] = [
  "packages/contract/src/secret.ts",
  "packages/connectors/src/",
  "packages/vault/src/",
  "packages/env-generator/src/",
  "packages/org-keys/src/",
  // Sign requests to buckets.
  "packages/s3-objects/src/open-bucket.ts",
  "packages/s3-objects/src/probe.ts",
  // Reads an address that someone typed.
  "packages/key-validator/src/address/read-address.ts",
  // Fix what someone typed, and tell a key's mode by its beginning.
  "packages/key-validator/src/input/",
  // Compares a typed value with the pattern of its field.
  "packages/key-validator/src/check-shape.ts",
  // The composition root: opens the keyring and keeps the hash of the admin token.
  "apps/broker/src/compose.ts",
  // Opens the private key that it signs with.
  "apps/broker/src/signing-keys.ts",
  // Keeps the hash of the token that its port asks for.
  "apps/broker/src/observe/metrics-server.ts",
  // Opens the counts of the audit, which are sealed so that nobody makes them up.
  "apps/broker/src/audit-state.ts",
  // Signs what is sent to the operator's receiver.
  "apps/broker/src/notify/sign-notice.ts",
  // Show a new token to the one who asked for it, once.
  "apps/broker/src/routes/builds.ts",
  "apps/broker/src/routes/tokens.ts",
  // A handoff link, cookies, a recovery code and the user's own env file, each to the one who may have it.
  "apps/broker/src/routes/handoff.ts",
  "apps/broker/src/routes/person.ts",
  "apps/broker/src/routes/settings.ts",
  "apps/broker/src/verbs/handoff/create-handoff.ts",
  // Opens what the page sealed, and masks it for showing again.
  "apps/broker/src/verbs/settings/open-values.ts",
  // Compares the addresses of both ends of a move, which are no secrets.
  "apps/broker/src/verbs/transfers/same-ends.ts",
];

/** Where a database in this process may be given SQL that is no constant. A folder ends in a slash. */
export const engineHomes: readonly string[] = [
  // Runs in a process of its own, behind a wall in the engine.
  "packages/connectors/src/kit/libsql/file-process/",
  // The store's only connection: its text comes from the query builder alone, with every value bound.
  "packages/store/src/connection.ts",
];

/** Rooms inside an app, and what they may not know. A folder ends in a slash. */
export const roomRules: readonly {
  readonly room: string;
  readonly mayNotImport: readonly string[];
}[] = [
  // A business action knows no HTTP: whoever asks is told by the route.
  { room: "apps/broker/src/verbs/", mayNotImport: ["apps/broker/src/http/", "apps/broker/src/routes/"] },
  ...["apps/broker/src/auth/", "apps/broker/src/sealing/"].map((room) => ({
    room,
    mayNotImport: ["http", "routes", "verbs", "queue"].map((other) => `apps/broker/src/${other}/`),
  })),
  // It runs whatever work there is, and knows none of it.
  {
    room: "apps/broker/src/queue/",
    mayNotImport: ["http/", "routes/", "verbs/", "work.ts", "schedule.ts"].map(
      (other) => `apps/broker/src/${other}`,
    ),
  },
];

/** Functions of the ground that have one door each: no file of these rooms calls them. */
export const closedDoors: readonly {
  readonly rooms: readonly string[];
  readonly call: string;
  readonly door: string;
}[] = [
  { rooms: ["apps/broker/src/verbs/"], call: "auditRow", door: "tx.audit of a change" },
  { rooms: ["apps/broker/src/verbs/"], call: "store.write", door: "change, or a step of a job" },
  ...["finish", "retry", "postpone", "requireAction"].map((call) => ({
    rooms: ["apps/broker/src/verbs/"],
    call: `jobs.${call}`,
    door: "apps/broker/src/queue/settle.ts",
  })),
  {
    rooms: ["apps/broker/src/verbs/", "apps/broker/src/routes/", "apps/broker/src/queue/"],
    call: "openDataKey",
    door: "apps/broker/src/sealing/data-key.ts",
  },
];

/** Tests, their helpers and stand-ins: never part of what runs in production. */
export function isDevelopmentFile(file: string): boolean {
  return /\.test\.tsx?$|\/testing\/|\/emulators?(?:-[^/]*)?\.ts$|\/emulator\/|\/stand-in\//.test(file);
}
