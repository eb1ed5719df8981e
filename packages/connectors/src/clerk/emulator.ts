import { randomBytes } from "node:crypto";
import * as z from "zod";
import { randomText } from "../kit/emulator-state.ts";
import type { StandIn } from "../kit/stand-in/stand-in.ts";
import { startStandIn } from "../kit/stand-in/start-stand-in.ts";
import { clerkCalls } from "./client.ts";
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

export type EmulatedInstance = z.output<typeof instanceSchema>;

/** Clerk's Backend API with the org's development instance, that instance's public key set, and one for every user. */
export const clerkStandIn: StandIn<typeof clerkCalls, EmulatedInstance> = {
  id: "clerk",
  calls: clerkCalls,
  account: instanceSchema,
  createAccount: (mode) => createInstance(mode === "live" ? "production" : "development"),
  keysOf: ({ secretKey }) => [secretKey],
  open: ["readPublicKeyIds"],
  errorBody: (status) => {
    const [code, message] = errors[status] ?? ["internal_clerk_error", "Oops, an unexpected error occurred"];
    const error = { message, long_message: message, code, meta: {} };
    return { errors: [error], clerk_trace_id: randomText(32).toLowerCase() };
  },
  answers: {
    readInstance: ({ account: { instanceId: id, environment: environment_type } }) => ({
      object: "instance",
      id,
      environment_type,
      workspace_id: null,
      allowed_origins: null,
    }),
    listDomains: ({ account }) => {
      const data = account.listedHosts.map((host) => domainBody(account, host));
      return { data, total_count: data.length };
    },
    countUsers: () => ({ object: "total_count", total_count: 0 }),
    readKeyIds: ({ account }) => ({ keys: [account.publicKey] }),
    readPublicKeyIds: ({ account }) => ({ keys: [account.publicKey] }),
  },
  orgFields: ({ secretKey, frontendApiHost: host }) => ({
    secretKey,
    publishableKey: encodePublishableKey({ mode: "test", host }),
  }),
  userEnv: {
    good: (own) => envOf(own, own),
    "wrong-pair": async (own, another) => envOf(own, await another()),
  },
};

export const startEmulator = startStandIn(clerkStandIn);

/** A made-up instance with its own keys. */
export function createInstance(environment: EmulatedInstance["environment"]): EmulatedInstance {
  const name = `stand-in-${randomText(12).toLowerCase()}`;
  const live = environment === "production";
  const frontendApiHost = live ? `clerk.${name}.example.com` : `${name}.clerk.accounts.dev`;
  // Nobody signs in at a stand-in: its key has the form of one, and no private half.
  const modulus = randomBytes(256);
  modulus[0] = 0xff;
  const instanceId = `ins_${randomText(27)}`;
  return {
    secretKey: `sk_${live ? "live" : "test"}_${randomText(42)}`,
    instanceId,
    domainId: `dmn_${randomText(27)}`,
    environment,
    frontendApiHost,
    listedHosts: [frontendApiHost],
    publicKey: {
      ...{ use: "sig", kid: instanceId, alg: "RS256", kty: "RSA", e: "AQAB" },
      n: modulus.toString("base64url"),
    },
  };
}

function envOf({ secretKey, environment }: EmulatedInstance, { frontendApiHost: host }: EmulatedInstance) {
  const mode = environment === "production" ? "live" : "test";
  return { CLERK_SECRET_KEY: secretKey, CLERK_PUBLISHABLE_KEY: encodePublishableKey({ mode, host }) };
}

const domainBody = ({ domainId: id }: EmulatedInstance, host: string) => ({
  object: "domain",
  id,
  name: host.replace(/^clerk\./, ""),
  is_satellite: false,
  frontend_api_url: `https://${host}`,
  accounts_portal_url: `https://accounts.${host}`,
  proxy_url: null,
  development_origin: "",
  cname_targets: null,
});

const errors: Readonly<Record<number, readonly [code: string, message: string]>> = {
  401: [
    "clerk_key_invalid",
    "The provided Clerk Secret Key is invalid. Make sure that your Clerk Secret Key is correct.",
  ],
  404: ["resource_not_found", "not found"],
  429: ["too_many_requests", "Too many requests. Please try again in a bit."],
};
