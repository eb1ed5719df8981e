import { generateKeyPair } from "node:crypto";
import { promisify } from "node:util";
import * as z from "zod";
import { createFaultQueue, type FaultQueue, type StartEmulator } from "../kit/emulator.ts";
import { createEmulatorApp, type EmulatorApp, requireBearer, serveEmulator } from "../kit/emulator-app.ts";
import { openEmulatorState, randomText } from "../kit/emulator-state.ts";
import { encodePublishableKey } from "./publishable-key.ts";

const instanceSchema = z.object({
  secretKey: z.string(),
  instanceId: z.string(),
  domainId: z.string(),
  environment: z.enum(["development", "production"]),
  frontendApiHost: z.string(),
  /** Hosts that `GET /domains` names; the Frontend API host unless a test says otherwise. */
  listedHosts: z.array(z.string()),
  publicKey: z.record(z.string(), z.unknown()),
});

const usersSchema = z.object({ instances: z.array(instanceSchema) });

export type EmulatedInstance = z.output<typeof instanceSchema>;

/**
 * A stand-in for Clerk's Backend API with the org's development instance, that instance's public key set, and
 * an instance for every user.
 */
export const startEmulator: StartEmulator = async ({ stateDirectory, port }) => {
  const state = await openEmulatorState(stateDirectory, "clerk", instanceSchema, () =>
    createInstance("development"),
  );
  const users = await openEmulatorState(stateDirectory, "clerk-users", usersSchema, () => ({
    instances: [],
  }));
  const instances = [state.value, ...users.value.instances];
  const addUser = async (mode: "test" | "live") => {
    const instance = await createInstance(mode === "live" ? "production" : "development");
    users.value.instances.push(instance);
    instances.push(instance);
    await users.save();
    return instance;
  };
  const faults = createFaultQueue();
  const server = await serveEmulator(createClerkApp(instances, faults), port);
  return {
    ...server,
    faults,
    createUserEnv: async ({ mode = "live", kind = "good" } = {}) => {
      if (kind !== "good" && kind !== "wrong-pair") throw new Error(`Clerk has no ${kind} keys`);
      const own = await addUser(mode);
      const shown = kind === "good" ? own : await addUser(mode);
      return {
        CLERK_SECRET_KEY: own.secretKey,
        CLERK_PUBLISHABLE_KEY: encodePublishableKey({ mode, host: shown.frontendApiHost }),
      };
    },
    orgFields: {
      secretKey: state.value.secretKey,
      publishableKey: encodePublishableKey({ mode: "test", host: state.value.frontendApiHost }),
    },
  };
};

/** A made-up instance with its own keys. */
export async function createInstance(
  environment: EmulatedInstance["environment"],
): Promise<EmulatedInstance> {
  const name = `stand-in-${randomText(12).toLowerCase()}`;
  const live = environment === "production";
  const frontendApiHost = live ? `clerk.${name}.example.com` : `${name}.clerk.accounts.dev`;
  const { publicKey } = await promisify(generateKeyPair)("rsa", { modulusLength: 2048 });
  const instanceId = `ins_${randomText(27)}`;
  return {
    secretKey: `sk_${live ? "live" : "test"}_${randomText(42)}`,
    instanceId,
    domainId: `dmn_${randomText(27)}`,
    environment,
    frontendApiHost,
    listedHosts: [frontendApiHost],
    publicKey: { use: "sig", kid: instanceId, alg: "RS256", ...publicKey.export({ format: "jwk" }) },
  };
}

/** The Backend API of some instances, each behind its own secret key; the first one's key set is public. */
export function createClerkApp(instances: readonly EmulatedInstance[], faults: FaultQueue): EmulatorApp {
  const app = createEmulatorApp({ faults, errorBody: (status) => errorBody(...errorOf(status)) });
  const instanceOf = (authorization: string | undefined) =>
    instances.find(({ secretKey }) => authorization === `Bearer ${secretKey}`) ?? instances[0];
  // Clerk's SDK reads an answer as JSON only when the content type is exactly this.
  const json = (value: unknown) =>
    new Response(JSON.stringify(value), { headers: { "content-type": "application/json" } });
  app.use(
    "/v1/*",
    requireBearer(
      (key) => instances.some(({ secretKey }) => secretKey === key),
      () =>
        new Response(errorBody(...errorOf(401)), {
          status: 401,
          headers: { "content-type": "application/json" },
        }),
    ),
  );
  app.get("/v1/instance", (context) => {
    const instance = instanceOf(context.req.header("authorization"));
    return json({
      object: "instance",
      id: instance?.instanceId,
      environment_type: instance?.environment,
      allowed_origins: null,
    });
  });
  app.get("/v1/users/count", () => json({ object: "total_count", total_count: 0 }));
  app.get("/v1/domains", (context) => json(domainsBody(instanceOf(context.req.header("authorization")))));
  app.get("/v1/jwks", (context) =>
    json({ keys: [instanceOf(context.req.header("authorization"))?.publicKey] }),
  );
  app.get("/.well-known/jwks.json", () => json({ keys: [instances[0]?.publicKey] }));
  return app;
}

function domainsBody(instance: EmulatedInstance | undefined): unknown {
  const data = (instance?.listedHosts ?? []).map((host) => ({
    object: "domain",
    id: instance?.domainId,
    name: host.replace(/^clerk\./, ""),
    is_satellite: false,
    frontend_api_url: `https://${host}`,
    accounts_portal_url: `https://accounts.${host}`,
    proxy_url: null,
    development_origin: "",
    cname_targets: null,
  }));
  return { data, total_count: data.length };
}

const invalidKey =
  "The provided Clerk Secret Key is invalid. Make sure that your Clerk Secret Key is correct.";

function errorOf(status: number): [code: string, message: string] {
  if (status === 401) return ["clerk_key_invalid", invalidKey];
  if (status === 404) return ["resource_not_found", "not found"];
  if (status === 429) return ["too_many_requests", "Too many requests. Please try again in a bit."];
  return ["internal_clerk_error", "Oops, an unexpected error occurred"];
}

function errorBody(code: string, message: string): string {
  return JSON.stringify({
    errors: [{ message, long_message: message, code, meta: {} }],
    clerk_trace_id: randomText(32).toLowerCase(),
  });
}
