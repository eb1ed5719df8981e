import { randomBytes } from "node:crypto";
import { defineConnector } from "@keyloan/connectors";
import {
  type Connector,
  type ConnectorSpec,
  idSuffix,
  type PlannedLease,
  ProviderError,
  type SecretValues,
  secretValues,
  type ValidationResult,
} from "@keyloan/contract";

const keysPage = "https://example.com/keys";

const spec: ConnectorSpec = {
  id: "memory-keys",
  label: "Memory keys",
  category: "mail",
  summary: "Gives every build a token of its own.",
  grade: "B",
  revocation: "The token stops working.",
  guide: { url: keysPage, steps: ["Make a token."] },
  orgFields: [
    { name: "organization", label: "Organization", secret: false },
    { name: "platformToken", label: "Platform API token", secret: true, helpUrl: keysPage },
    { name: "group", label: "Group", secret: false, optional: true },
  ],
  env: [
    { name: "MEMORY_KEYS_ACCOUNT", label: "Account", secret: false, exposure: "server" },
    {
      name: "MEMORY_KEYS_TOKEN",
      label: "Account token",
      secret: true,
      exposure: "server",
      copies: { other: ["OTHER_KEYS_TOKEN"], third: ["THIRD_KEYS_TOKEN"] },
    },
    {
      name: "MEMORY_KEYS_NOTE",
      label: "Note",
      secret: true,
      exposure: "server",
      own: { kind: "generated", bytes: 16 },
    },
  ],
};

/** What is hard to write into a file, a command line or a log. */
const note = `first 100%\n\nsecond 'quoted' "twice" $HOME #not-a-comment`;

type Call = "issue" | "renew" | "rotate" | "revoke" | "list" | "check";

/** How it may refuse, and the status that it answers then. */
const refusals = { forbidden: 403, unavailable: 503 } as const;

/** A provider in this process that is paid for with an org key and lends a token for each lease. */
export type KeyedProvider = {
  readonly connector: Connector;
  /** An org key that it takes. */
  readonly orgKey: Readonly<Record<"organization" | "platformToken", string>>;
  /** Tokens that it refuses from now on, the org's and those of leases. */
  readonly ended: Set<string>;
  /** The tokens of what it holds, by name. */
  readonly held: Map<string, string[]>;
  /** How it refuses a kind of call, as long as it stands here. */
  readonly troubles: Map<Call, keyof typeof refusals>;
};

export function createKeyedProvider(): KeyedProvider {
  const ended = new Set<string>();
  const held = new Map<string, string[]>();
  const troubles = new Map<Call, keyof typeof refusals>();
  const call = (kind: Call) => {
    const code = troubles.get(kind);
    if (code === undefined) return;
    throw new ProviderError(spec.id, code, `refuses to ${kind}`, { status: refusals[code] });
  };
  const check = (field: string, values: SecretValues, account: string | undefined): ValidationResult => {
    if (troubles.has("check"))
      return { status: "undetermined", code: "provider_down", message: "it is down" };
    if (!ended.has(values[field]?.reveal() ?? ""))
      return {
        status: "valid",
        capabilities: [],
        warnings: [],
        ...(account === undefined ? {} : { account }),
      };
    const refusal = { envVar: field, code: "rejected", message: "it is refused" } as const;
    return { status: "invalid", ...refusal, remedy: "Copy another one." };
  };
  const end = (name: string) => {
    for (const token of held.get(name) ?? []) ended.add(token);
    held.delete(name);
  };
  const add = ({ handle: { name = "" } }: PlannedLease): SecretValues => {
    const token = `mk_test_${randomBytes(24).toString("hex")}`;
    held.set(name, [...(held.get(name) ?? []), token]);
    return secretValues({ MEMORY_KEYS_ACCOUNT: name, MEMORY_KEYS_TOKEN: token, MEMORY_KEYS_NOTE: note });
  };
  const connector = defineConnector({
    spec,
    validateOrgKey: async (_context, fields) => check("platformToken", fields, fields.organization?.reveal()),
    endOrgKey: async (_context, { platformToken }) => void ended.add(platformToken?.reveal() ?? ""),
    validate: async (_context, values) => check("MEMORY_KEYS_TOKEN", values, undefined),
    issuer: {
      plan: ({ leaseId }) => ({ name: `kl-${idSuffix(leaseId)}` }),
      issue: async (_context, _org, lease) => {
        call("issue");
        return add(lease);
      },
      renew: async (_context, _org, lease) => {
        call("renew");
        return add(lease);
      },
      rotate: async (_context, _org, lease) => {
        call("rotate");
        end(lease.handle.name ?? "");
        return add(lease);
      },
      revoke: async (_context, _org, { handle: { name = "" } }) => {
        call("revoke");
        end(name);
      },
      list: async function* () {
        call("list");
        for (const name of held.keys()) yield { handle: { name }, name, suffix: name.replace("kl-", "") };
      },
    },
  });
  const orgKey = { organization: "acme", platformToken: `canary-${randomBytes(12).toString("hex")}` };
  return { connector, orgKey, ended, held, troubles };
}
