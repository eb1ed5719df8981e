import { type ConnectorSpec, type EnvVarSpec, formOf, type KeyCheck, secretValues } from "@keyloan/contract";
import type { GateConnector, GateInput } from "../gate.ts";

const server = { exposure: "server" } as const;

const payVariables: readonly EnvVarSpec[] = [
  {
    name: "PAY_SECRET",
    label: "Secret key",
    secret: true,
    ...formOf({ test: ["sk_test_"], live: ["sk_live_"] }, "[a-z]{4,}"),
    ...server,
  },
  {
    name: "PAY_PUBLIC",
    label: "Publishable key",
    secret: false,
    ...formOf({ test: ["pk_test_"], live: ["pk_live_"] }, "[a-z]{4,}"),
    exposure: "browser",
  },
  {
    name: "PAY_HOOK",
    label: "Webhook secret",
    secret: true,
    pattern: "^whsec_[a-z]+$",
    optional: true,
    role: "webhook_secret",
    helpUrl: "https://pay.example/webhooks",
    ...server,
  },
  { name: "PAY_PRICE_", label: "Price", secret: false, family: true, optional: true, ...server },
];

const dataVariables: readonly EnvVarSpec[] = [
  { name: "DATA_URL", label: "Database URL", secret: false, role: "address", ...server },
  { name: "DATA_TOKEN", label: "Token", secret: true, ...server },
  { name: "DATA_REGION", label: "Region", secret: false, own: { kind: "default", value: "auto" }, ...server },
  {
    name: "DATA_SIGNING",
    label: "Signing secret",
    secret: true,
    own: { kind: "generated", bytes: 8 },
    ...server,
  },
  {
    name: "DATA_SESSION",
    label: "Session",
    secret: true,
    optional: true,
    own: { kind: "absent" },
    ...server,
  },
];

const authVariables: readonly EnvVarSpec[] = [
  {
    name: "AUTH_SECRET",
    label: "Secret key",
    secret: true,
    ...formOf({ test: ["ak_test_"], live: ["ak_live_"] }, "[a-z]{4,}"),
    ...server,
  },
];

/** Made-up services: payments, a database, and sign-in. */
export const specs = {
  pay: spec("pay", "Pay", "payments", payVariables),
  data: spec("data", "Data", "database", dataVariables),
  auth: spec("auth", "Auth", "auth", authVariables),
} as const;

const goodValues: Readonly<Record<keyof typeof specs, Readonly<Record<string, string>>>> = {
  pay: { PAY_SECRET: "sk_live_abcd", PAY_PUBLIC: "pk_live_abcd", PAY_HOOK: "whsec_abcd" },
  data: {
    DATA_URL: "libsql://data.example.com",
    DATA_TOKEN: "token",
    DATA_REGION: "auto",
    DATA_SIGNING: "made",
  },
  auth: { AUTH_SECRET: "ak_live_abcd" },
};

export type ConnectorChange = {
  readonly source?: "org" | "user";
  /** `undefined` removes a value. */
  readonly values?: Readonly<Record<string, string | undefined>>;
  readonly check?: KeyCheck | undefined;
  readonly spec?: Partial<ConnectorSpec>;
};

export const validCheck = { status: "valid", capabilities: [], warnings: [] } as const satisfies KeyCheck;

/** A connector that every gate lets pass, changed. */
export function connector(id: keyof typeof specs, change: ConnectorChange = {}): GateConnector {
  const values = Object.entries({ ...goodValues[id], ...change.values }).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  return {
    spec: { ...specs[id], ...change.spec },
    source: change.source ?? "user",
    values: secretValues(Object.fromEntries(values)),
    check: "check" in change ? change.check : validCheck,
  };
}

/** Three services with the user's own live keys, some of them changed. */
export function gateInput(
  changes: Readonly<Partial<Record<keyof typeof specs, ConnectorChange>>> = {},
  rest: Partial<Omit<GateInput, "connectors">> = {},
): GateInput {
  return {
    connectors: [
      connector("pay", changes.pay),
      connector("data", changes.data),
      connector("auth", changes.auth),
    ],
    unread: [],
    profile: "next",
    allowPrivateAddresses: false,
    isOurs: () => false,
    probeDurability: async () => ({ steps: [{ name: "read_back", ok: true, message: "" }] }),
    ...rest,
  };
}

function spec(
  id: string,
  label: string,
  category: ConnectorSpec["category"],
  env: readonly EnvVarSpec[],
): ConnectorSpec {
  return { id, label, category, summary: "", grade: "E", revocation: "", orgFields: [], env };
}
