import { providerUrlVariable, Secret, tokenPattern, trimEndOf } from "@keyloan/contract";
import * as z from "zod";
import { proxiesProblem } from "./http/client-address.ts";
import { isFileOrHttps } from "./sink-place.ts";

/**
 * One configuration variable. The member's name, its type, `docs/configuration.md` and the check at the start are all made
 * of the table below.
 */
export type ConfigVariable = {
  readonly name: string;
  readonly purpose: string;
  readonly required?: true;
  readonly default?: string;
  readonly ifUnset: string;
  /** A secret may also be given as a file's path in `<name>_FILE`. */
  readonly secret?: true;
  readonly example?: string;
  /** What it was called in the version before: still read, with a warning. */
  readonly formerly?: string;
  /** What the text must be, and what it becomes; its messages never hold the text. */
  readonly schema: z.ZodType;
  /** What it is when it is not set and has no default; absent: `undefined`. */
  readonly otherwise?: unknown;
};

const port = z.coerce.number({ error: "must be a whole number from 0 to 65535" }).int().min(0).max(65_535);
const flag = z.enum(["true", "false"]).transform((text) => text === "true");
const secretText = z.string().transform(Secret.of);
const longSecretText = z.string().min(16, "must have 16 characters or more").transform(Secret.of);
const httpUrl = z.url({ protocol: /^https?$/, error: "must be an http or https address" });
const variable = <const Variable extends ConfigVariable>(entry: Variable): Variable => entry;

/** THE table of what can be configured, by the name that the code has for it. */
export const configVariables = {
  dataDirectory: variable({
    name: "KEYLOAN_DATA_DIR",
    purpose: "Folder of the embedded store. It is made if it does not exist; only its owner can read it.",
    default: "./data",
    ifUnset: "`data` in the working folder is used.",
    schema: z.string(),
  }),
  rootKey: variable({
    name: "KEYLOAN_ROOT_KEY",
    purpose:
      "Root keys that wrap every data key, one `<id>:<key>` per line; the first one wraps, the others only open. Make one with `keyloan root-key create`.",
    required: true,
    secret: true,
    ifUnset: "The broker does not start.",
    schema: secretText,
  }),
  adminToken: variable({
    name: "KEYLOAN_ADMIN_TOKEN",
    purpose:
      "The operator's token: `klo_admin_` and 43 letters, digits, dashes or underscores (256 random bits).",
    required: true,
    secret: true,
    ifUnset: "The broker does not start.",
    schema: z
      .string()
      .regex(tokenPattern("admin"), "must be klo_admin_ and 43 letters, digits, dashes or underscores")
      .transform(Secret.of),
  }),
  host: variable({
    name: "KEYLOAN_HOST",
    purpose: "Address to listen on.",
    default: "127.0.0.1",
    ifUnset: "Only this machine can reach the broker.",
    schema: z.string(),
  }),
  port: variable({
    name: "PORT",
    purpose: "Port to listen on; 0 picks a free one.",
    default: "8787",
    ifUnset: "8787 is used.",
    schema: port,
  }),
  publicUrl: variable({
    name: "KEYLOAN_PUBLIC_URL",
    purpose:
      "The address where users reach the broker, such as `https://keys.example.com`: handoff links start with it, and with https their cookies are sent over https only.",
    ifUnset:
      "Links use the address that the broker listens on, and the settings page opens only on loopback addresses.",
    example: "https://keys.example.com",
    schema: httpUrl.transform((text) => trimEndOf(text, "/")),
  }),
  trustedProxies: variable({
    name: "KEYLOAN_TRUSTED_PROXIES",
    purpose:
      "The networks of the proxies in front of the broker, separated by commas. Only these proxies are trusted to name a client's address in `X-Forwarded-For` or `Forwarded`. A proxy must add to that header or replace it.",
    ifUnset: "Behind a proxy, all callers without a valid token or session count as one caller.",
    example: "10.0.0.0/8,fd00::/8",
    schema: z
      .string()
      .transform((text) => text.split(",").map((network) => network.trim()))
      .superRefine((networks, context) => {
        const problem = proxiesProblem(networks);
        if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
      }),
    otherwise: [],
  }),
  revertHours: variable({
    name: "KEYLOAN_REVERT_HOURS",
    purpose:
      "How long the lent keys keep working after a swap, so that the user can go back. A lower value also counts for swaps that were made before.",
    default: "24",
    ifUnset: "24 hours.",
    schema: z.coerce.number().min(0).max(720),
  }),
  clerkPublishableKey: variable({
    name: "KEYLOAN_CLERK_PUBLISHABLE_KEY",
    purpose:
      "With the next two: users who are signed in to your own app with Clerk open the settings page without a link. This is the publishable key of that app's instance.",
    ifUnset: "The settings page opens only with a link.",
    schema: z.string().regex(/^pk_(?:test|live)_/, "must begin with pk_"),
  }),
  clerkSecretKey: variable({
    name: "KEYLOAN_CLERK_SECRET_KEY",
    purpose: "The secret key of that instance.",
    secret: true,
    ifUnset: "The settings page opens only with a link.",
    schema: z
      .string()
      .regex(/^sk_(?:test|live)_/, "must begin with sk_")
      .transform(Secret.of),
  }),
  clerkAuthorizedParties: variable({
    name: "KEYLOAN_CLERK_AUTHORIZED_PARTIES",
    purpose: "The origins of your app, separated by commas: sessions of other apps are refused.",
    ifUnset: "The settings page opens only with a link.",
    example: "https://app.example.com",
    schema: z
      .string()
      .regex(/^https?:\/\/[^\s,/]+(?:,https?:\/\/[^\s,/]+)*$/, "must be origins separated by commas")
      .transform((text) => text.split(",")),
  }),
  clerkJwtKey: variable({
    name: "KEYLOAN_CLERK_JWT_KEY",
    purpose: "The instance's public key in PEM, so that sessions can be checked without asking Clerk.",
    ifUnset: "Clerk's key set is fetched when a session is checked.",
    schema: z.string(),
  }),
  allowPrivateAddresses: variable({
    name: "KEYLOAN_ALLOW_PRIVATE_ADDRESSES",
    purpose:
      "`true` allows users to name databases and stores on private and loopback addresses. Use it only for development on a single machine: users can then reach your network.",
    default: "false",
    ifUnset: "Only public addresses are called.",
    schema: flag,
  }),
  metricsPort: variable({
    name: "KEYLOAN_METRICS_PORT",
    purpose: "A second port that serves only `/metrics`. Keep it inside your network.",
    ifUnset: "`/metrics` is served on the main port, only to the admin.",
    schema: port,
  }),
  metricsHost: variable({
    name: "KEYLOAN_METRICS_HOST",
    purpose: "Address that this second port listens on.",
    default: "127.0.0.1",
    ifUnset: "Only this machine can reach it.",
    schema: z.string(),
  }),
  metricsToken: variable({
    name: "KEYLOAN_METRICS_TOKEN",
    purpose:
      "A text of 16 characters or more that callers of that port must send: `Authorization: Bearer <token>`.",
    secret: true,
    ifUnset: "Anyone who can reach the second port can read the metrics.",
    schema: longSecretText,
  }),
  logLevel: variable({
    name: "KEYLOAN_LOG_LEVEL",
    purpose: "One of debug, info, warn, error, silent.",
    default: "info",
    ifUnset: "Refused and failed requests and state changes are logged; successful reads are not.",
    schema: z.enum(["debug", "info", "warn", "error", "silent"]),
  }),
  rateLimitPerSecond: variable({
    name: "KEYLOAN_RATE_LIMIT_PER_SECOND",
    purpose:
      "How many requests per second each token, session or link may make, and each address (for IPv6 each /64 network) without a valid one; bursts may be twice as large. All tokens of a build together may make four times as many. 0 sets no limit.",
    default: "100",
    ifUnset: "100 per second.",
    schema: z.coerce.number().min(0).max(1_000_000),
  }),
  issueDeadlineSeconds: variable({
    name: "KEYLOAN_ISSUE_DEADLINE_SECONDS",
    purpose: "How long one attempt to issue a lease may take, including its retries.",
    default: "60",
    ifUnset: "60 seconds.",
    schema: z.coerce.number().min(1).max(900),
  }),
  orgKeyCheckHours: variable({
    name: "KEYLOAN_ORG_KEY_CHECK_HOURS",
    purpose: "How often every org key is checked at its provider. 0 disables the checks.",
    default: "6",
    ifUnset: "Every 6 hours.",
    schema: z.coerce.number().min(0).max(8760),
  }),
  orgKeyMaxDays: variable({
    name: "KEYLOAN_ORG_KEY_MAX_DAYS",
    purpose: "The age at which the broker sends a reminder to rotate an org key. 0 disables reminders.",
    default: "90",
    ifUnset: "90 days.",
    schema: z.coerce.number().min(0).max(3650),
  }),
  archiveAfterDays: variable({
    name: "KEYLOAN_ARCHIVE_AFTER_DAYS",
    purpose: "How long a database must be idle before it is archived. 0 disables automatic archiving.",
    default: "30",
    ifUnset: "30 days.",
    schema: z.coerce.number().min(0).max(3650),
  }),
  archiveDirectory: variable({
    name: "KEYLOAN_ARCHIVE_DIR",
    purpose: "Folder of the archives, when they are stored as files.",
    ifUnset: "`archives` in `KEYLOAN_DATA_DIR`.",
    schema: z.string(),
  }),
  archiveS3Url: variable({
    name: "KEYLOAN_ARCHIVE_S3_URL",
    purpose:
      "Stores archives in an S3 bucket instead: `https://<endpoint>/<bucket>/<prefix>`, with the next two. It must not be a bucket that builds write to.",
    ifUnset: "Archives are stored as files.",
    example: "https://account.r2.cloudflarestorage.com/archives/keyloan",
    schema: z
      .string()
      .regex(/^https?:\/\/[^\s/@?#]+\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:\/[A-Za-z0-9._-]+)*\/?$/, {
        error: "must be https://<endpoint>/<bucket>/<prefix>",
      }),
  }),
  archiveS3AccessKeyId: variable({
    name: "KEYLOAN_ARCHIVE_S3_ACCESS_KEY_ID",
    purpose: "The access key id for that bucket.",
    ifUnset: "Archives are stored as files.",
    schema: z.string(),
  }),
  archiveS3SecretAccessKey: variable({
    name: "KEYLOAN_ARCHIVE_S3_SECRET_ACCESS_KEY",
    purpose: "The secret access key for that bucket.",
    secret: true,
    ifUnset: "Archives are stored as files.",
    schema: secretText,
  }),
  archiveS3Region: variable({
    name: "KEYLOAN_ARCHIVE_S3_REGION",
    purpose: "The region of that bucket.",
    default: "auto",
    ifUnset: "`auto`, as for R2.",
    schema: z.string(),
  }),
  notifyUrl: variable({
    name: "KEYLOAN_NOTIFY_URL",
    purpose:
      "Where the broker posts notices that require manual action: jobs that require action and their reminders, org keys to rotate, findings of reconciling.",
    ifUnset: "They are logged and shown by `keyloan jobs list`, but nobody is notified.",
    example: "https://ops.example.com/hooks/keyloan",
    schema: httpUrl,
  }),
  notifySecret: variable({
    name: "KEYLOAN_NOTIFY_SECRET",
    purpose: "Signs these notices (HMAC-SHA256), so that the receiver can verify who sent them.",
    secret: true,
    ifUnset: "Notices are sent without a signature.",
    schema: longSecretText,
  }),
  auditSink: variable({
    name: "KEYLOAN_AUDIT_SINK",
    purpose:
      "A place outside the store that gets every signed head of the audit: a file on another machine or volume, or an https address. It later proves that nothing was cut off or replaced by an older copy.",
    ifUnset: "The audit only proves that it is self-consistent, unless you keep heads yourself.",
    example: "https://ops.example.com/audit-heads",
    schema: z.string().refine(isFileOrHttps, "must be a file or an https address without a user"),
  }),
  auditHeadFile: variable({
    name: "KEYLOAN_AUDIT_HEAD_FILE",
    purpose:
      "A file with a head that you kept (`keyloan audit head`), or a copy of a file sink: the store is compared with it at start. `--head-file` sets it too.",
    ifUnset: "The store is compared with what the sink returns, if there is one.",
    schema: z.string(),
  }),
  actionHours: variable({
    name: "KEYLOAN_ACTION_HOURS",
    formerly: "KEYLOAN_HANDS_HOURS",
    purpose: "How much time a person has for a job that requires action before it is reported as overdue.",
    default: "24",
    ifUnset: "24 hours.",
    schema: z.coerce.number().min(0.01).max(720),
  }),
  reconcileHours: variable({
    name: "KEYLOAN_RECONCILE_HOURS",
    purpose: "How often the providers' lists are compared with the broker's records. 0 disables this.",
    default: "6",
    ifUnset: "Every 6 hours.",
    schema: z.coerce.number().min(0).max(8760),
  }),
  reconcilePolicy: variable({
    name: "KEYLOAN_RECONCILE_POLICY",
    purpose:
      "`report` only reports its findings; `mend` also ends what belongs to leases that have ended. Resources that Keyloan has no record of are only reported.",
    default: "mend",
    ifUnset: "`mend`.",
    schema: z.enum(["report", "mend"]),
  }),
  preferredConnectors: variable({
    name: "KEYLOAN_PREFER",
    purpose:
      "Connectors by id, separated by commas: a build that names none gets one for each kind of service, and these are preferred.",
    ifUnset: "The first connector of each kind in `GET /v1/catalog` for which the org has a key.",
    example: "turso,r2",
    otherwise: [] as readonly string[],
    schema: z.string().transform((text): readonly string[] => text.split(",").map((id) => id.trim())),
  }),
  migrationsTable: variable({
    name: "KEYLOAN_MIGRATIONS_TABLE",
    purpose:
      "The table in which apps' databases list their migrations; a swap to a database without it is refused when live payment keys are used.",
    ifUnset: "No such table is required.",
    example: "__drizzle_migrations",
    schema: z.string().regex(/^[A-Za-z_][A-Za-z0-9_$]{0,127}$/, "must be the name of a table"),
  }),
  shutdownSeconds: variable({
    name: "KEYLOAN_SHUTDOWN_SECONDS",
    purpose: "How long a stop waits for requests in progress.",
    default: "10",
    ifUnset: "10 seconds.",
    schema: z.coerce.number().min(0).max(600),
  }),
} as const;

type Variables = typeof configVariables;
type ValueOf<Variable extends ConfigVariable> = Variable extends
  | { readonly default: string }
  | { readonly required: true }
  ? z.output<Variable["schema"]>
  : Variable extends { readonly otherwise: unknown }
    ? z.output<Variable["schema"]>
    : z.output<Variable["schema"]> | undefined;

/** Every variable, read. */
export type ConfigValues = { readonly [Member in keyof Variables]: ValueOf<Variables[Member]> };

/** The variable that replaces a connector's provider address: how a stand-in plugs in. */
export function describeProviderUrl(
  connectorId: string,
): Pick<ConfigVariable, "name" | "purpose" | "ifUnset"> {
  return {
    name: providerUrlVariable(connectorId),
    purpose: `Replaces the address of the \`${connectorId}\` provider's API, for a stand-in or a private gateway. Addresses that users enter are guarded all the same.`,
    ifUnset: "The provider's own address is used.",
  };
}
