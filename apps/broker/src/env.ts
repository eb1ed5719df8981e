import type { ClerkSessionOptions } from "@keyloan/connectors/clerk-session";
import { Secret, tokenPattern } from "@keyloan/contract";
import * as z from "zod";
import { configVariables } from "./config-table.ts";
import { proxiesProblem } from "./http/client-address.ts";
import { type Environment, readProviderUrls, readVariable } from "./read-variable.ts";
import { isFileOrHttps, isInside } from "./sink-place.ts";

export type BrokerConfig = {
  readonly dataDirectory: string;
  readonly rootKey: Secret;
  readonly adminToken: Secret;
  readonly host: string;
  readonly port: number;
  readonly publicUrl: string | undefined;
  /** Networks of proxies whose word on a client's address is believed. */
  readonly trustedProxies: readonly string[];
  readonly revertHours: number;
  readonly allowPrivateAddresses: boolean;
  /** Off unless the operator's app and its users are named. */
  readonly clerkSessions: ClerkSessionOptions | undefined;
  readonly metricsPort: number | undefined;
  readonly metricsHost: string;
  readonly metricsToken: Secret | undefined;
  readonly logLevel: "debug" | "info" | "warn" | "error" | "silent";
  readonly rateLimitPerSecond: number;
  readonly issueDeadlineSeconds: number;
  readonly orgKeyCheckHours: number;
  readonly orgKeyMaxDays: number;
  readonly archiveAfterDays: number;
  /** Absent: `archives` in the data directory. */
  readonly archiveDirectory: string | undefined;
  /** Absent: archives are files. */
  readonly archiveS3: ArchiveS3Config | undefined;
  readonly notifyUrl: string | undefined;
  readonly notifySecret: Secret | undefined;
  /** A file or an https address that gets every signed head of the audit. */
  readonly auditSink: string | undefined;
  /** A file with a head that was kept. */
  readonly auditHeadFile: string | undefined;
  readonly handsHours: number;
  readonly reconcileHours: number;
  readonly reconcilePolicy: "report" | "mend";
  readonly migrationsTable: string | undefined;
  readonly shutdownSeconds: number;
  /** Provider addresses by connector id, only the ones that are replaced. */
  readonly providerUrls: Readonly<Record<string, string>>;
};

export type ArchiveS3Config = {
  /** `https://<endpoint>/<bucket>/<prefix>` */
  readonly url: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: Secret;
};

export type ConfigResult =
  | { readonly ok: true; readonly config: BrokerConfig }
  | { readonly ok: false; readonly problems: readonly string[] };

const port = z.coerce.number({ error: "must be a whole number from 0 to 65535" }).int().min(0).max(65_535);
const shapes = {
  KEYLOAN_DATA_DIR: z.string(),
  KEYLOAN_ROOT_KEY: z.string(),
  KEYLOAN_ADMIN_TOKEN: z
    .string()
    .regex(tokenPattern("admin"), "must be klo_admin_ and 43 letters, digits, dashes or underscores"),
  KEYLOAN_HOST: z.string(),
  PORT: port,
  KEYLOAN_PUBLIC_URL: z
    .url({ protocol: /^https?$/, error: "must be an http or https address" })
    .transform((text) => text.replace(/\/+$/, ""))
    .optional(),
  KEYLOAN_TRUSTED_PROXIES: z
    .string()
    .transform((text) => text.split(",").map((network) => network.trim()))
    .superRefine((networks, context) => {
      const problem = proxiesProblem(networks);
      if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
    })
    .optional(),
  KEYLOAN_REVERT_HOURS: z.coerce.number().min(0).max(720),
  KEYLOAN_ALLOW_PRIVATE_ADDRESSES: z.enum(["true", "false"]),
  KEYLOAN_CLERK_PUBLISHABLE_KEY: z
    .string()
    .regex(/^pk_(?:test|live)_/, "must begin with pk_")
    .optional(),
  KEYLOAN_CLERK_SECRET_KEY: z
    .string()
    .regex(/^sk_(?:test|live)_/, "must begin with sk_")
    .optional(),
  KEYLOAN_CLERK_AUTHORIZED_PARTIES: z
    .string()
    .regex(/^https?:\/\/[^\s,/]+(?:,https?:\/\/[^\s,/]+)*$/, "must be origins joined by commas")
    .optional(),
  KEYLOAN_CLERK_JWT_KEY: z.string().optional(),
  KEYLOAN_METRICS_PORT: port.optional(),
  KEYLOAN_METRICS_HOST: z.string(),
  KEYLOAN_METRICS_TOKEN: z.string().min(16, "must have 16 characters or more").optional(),
  KEYLOAN_LOG_LEVEL: z.enum(["debug", "info", "warn", "error", "silent"]),
  KEYLOAN_RATE_LIMIT_PER_SECOND: z.coerce.number().min(0).max(1_000_000),
  KEYLOAN_ISSUE_DEADLINE_SECONDS: z.coerce.number().min(1).max(900),
  KEYLOAN_ORG_KEY_CHECK_HOURS: z.coerce.number().min(0).max(8760),
  KEYLOAN_ORG_KEY_MAX_DAYS: z.coerce.number().min(0).max(3650),
  KEYLOAN_ARCHIVE_AFTER_DAYS: z.coerce.number().min(0).max(3650),
  KEYLOAN_ARCHIVE_DIR: z.string().optional(),
  KEYLOAN_ARCHIVE_S3_URL: z
    .string()
    .regex(/^https?:\/\/[^\s/@?#]+\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:\/[A-Za-z0-9._-]+)*\/?$/, {
      error: "must be https://<endpoint>/<bucket>/<prefix>",
    })
    .optional(),
  KEYLOAN_ARCHIVE_S3_ACCESS_KEY_ID: z.string().optional(),
  KEYLOAN_ARCHIVE_S3_SECRET_ACCESS_KEY: z.string().optional(),
  KEYLOAN_ARCHIVE_S3_REGION: z.string(),
  KEYLOAN_NOTIFY_URL: z.url({ protocol: /^https?$/, error: "must be an http or https address" }).optional(),
  KEYLOAN_NOTIFY_SECRET: z.string().min(16, "must have 16 characters or more").optional(),
  KEYLOAN_AUDIT_SINK: z
    .string()
    .refine(isFileOrHttps, "must be a file or an https address without a user")
    .optional(),
  KEYLOAN_AUDIT_HEAD_FILE: z.string().optional(),
  KEYLOAN_HANDS_HOURS: z.coerce.number().min(0.01).max(720),
  KEYLOAN_RECONCILE_HOURS: z.coerce.number().min(0).max(8760),
  KEYLOAN_RECONCILE_POLICY: z.enum(["report", "mend"]),
  KEYLOAN_MIGRATIONS_TABLE: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_$]{0,127}$/, "must be the name of a table")
    .optional(),
  KEYLOAN_SHUTDOWN_SECONDS: z.coerce.number().min(0).max(600),
} satisfies Record<(typeof configVariables)[number]["name"], z.ZodType>;

const configSchema = z.object(shapes);

/** Variables that mean something only together. */
const groups: readonly (readonly string[])[] = [
  ["KEYLOAN_CLERK_PUBLISHABLE_KEY", "KEYLOAN_CLERK_SECRET_KEY", "KEYLOAN_CLERK_AUTHORIZED_PARTIES"],
  ["KEYLOAN_ARCHIVE_S3_URL", "KEYLOAN_ARCHIVE_S3_ACCESS_KEY_ID", "KEYLOAN_ARCHIVE_S3_SECRET_ACCESS_KEY"],
];

/**
 * The broker's configuration from the environment, with every problem at once and never a value in one.
 * @param connectorIds the connectors whose provider address may be replaced
 */
export function readConfig(environment: Environment, connectorIds: readonly string[]): ConfigResult {
  const problems: string[] = [];
  const values: Record<string, string | undefined> = {};
  for (const variable of configVariables) {
    values[variable.name] = readVariable(environment, variable, problems);
  }
  const providerUrls = readProviderUrls(environment, connectorIds, problems);
  const parsed = configSchema.safeParse(values);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) {
      const name = String(issue.path[0]);
      if (values[name] !== undefined) problems.push(`${name}: ${issue.message}`);
    }
  }
  for (const group of groups) {
    const set = group.filter((name) => values[name] !== undefined);
    if (set.length > 0 && set.length < group.length)
      problems.push(`${group.join(", ")}: set all of them, or none`);
  }
  if (isInside(values.KEYLOAN_DATA_DIR, values.KEYLOAN_AUDIT_SINK))
    problems.push("KEYLOAN_AUDIT_SINK: must be outside KEYLOAN_DATA_DIR, or it proves nothing");
  if (!parsed.success || problems.length > 0) return { ok: false, problems };
  const value = parsed.data;
  return {
    ok: true,
    config: {
      dataDirectory: value.KEYLOAN_DATA_DIR,
      rootKey: Secret.of(value.KEYLOAN_ROOT_KEY),
      adminToken: Secret.of(value.KEYLOAN_ADMIN_TOKEN),
      host: value.KEYLOAN_HOST,
      port: value.PORT,
      publicUrl: value.KEYLOAN_PUBLIC_URL,
      trustedProxies: value.KEYLOAN_TRUSTED_PROXIES ?? [],
      revertHours: value.KEYLOAN_REVERT_HOURS,
      allowPrivateAddresses: value.KEYLOAN_ALLOW_PRIVATE_ADDRESSES === "true",
      clerkSessions: clerkSessionsOf(value),
      metricsPort: value.KEYLOAN_METRICS_PORT,
      metricsHost: value.KEYLOAN_METRICS_HOST,
      metricsToken: secretOf(value.KEYLOAN_METRICS_TOKEN),
      logLevel: value.KEYLOAN_LOG_LEVEL,
      rateLimitPerSecond: value.KEYLOAN_RATE_LIMIT_PER_SECOND,
      issueDeadlineSeconds: value.KEYLOAN_ISSUE_DEADLINE_SECONDS,
      orgKeyCheckHours: value.KEYLOAN_ORG_KEY_CHECK_HOURS,
      orgKeyMaxDays: value.KEYLOAN_ORG_KEY_MAX_DAYS,
      archiveAfterDays: value.KEYLOAN_ARCHIVE_AFTER_DAYS,
      archiveDirectory: value.KEYLOAN_ARCHIVE_DIR,
      archiveS3: archiveS3Of(value),
      notifyUrl: value.KEYLOAN_NOTIFY_URL,
      notifySecret: secretOf(value.KEYLOAN_NOTIFY_SECRET),
      auditSink: value.KEYLOAN_AUDIT_SINK,
      auditHeadFile: value.KEYLOAN_AUDIT_HEAD_FILE,
      handsHours: value.KEYLOAN_HANDS_HOURS,
      reconcileHours: value.KEYLOAN_RECONCILE_HOURS,
      reconcilePolicy: value.KEYLOAN_RECONCILE_POLICY,
      migrationsTable: value.KEYLOAN_MIGRATIONS_TABLE,
      shutdownSeconds: value.KEYLOAN_SHUTDOWN_SECONDS,
      providerUrls,
    },
  };
}

function secretOf(text: string | undefined): Secret | undefined {
  return text === undefined ? undefined : Secret.of(text);
}

function clerkSessionsOf(value: z.output<typeof configSchema>): ClerkSessionOptions | undefined {
  const { KEYLOAN_CLERK_PUBLISHABLE_KEY: publishableKey, KEYLOAN_CLERK_SECRET_KEY: secretKey } = value;
  const authorizedParties = value.KEYLOAN_CLERK_AUTHORIZED_PARTIES?.split(",");
  const jwtKey = value.KEYLOAN_CLERK_JWT_KEY;
  if (publishableKey === undefined || secretKey === undefined || authorizedParties === undefined)
    return undefined;
  return {
    publishableKey,
    secretKey: Secret.of(secretKey),
    authorizedParties,
    ...(jwtKey === undefined ? {} : { jwtKey }),
  };
}

function archiveS3Of(value: z.output<typeof configSchema>): ArchiveS3Config | undefined {
  const { KEYLOAN_ARCHIVE_S3_URL: url, KEYLOAN_ARCHIVE_S3_ACCESS_KEY_ID: accessKeyId } = value;
  const secretAccessKey = value.KEYLOAN_ARCHIVE_S3_SECRET_ACCESS_KEY;
  if (url === undefined || accessKeyId === undefined || secretAccessKey === undefined) return undefined;
  const region = value.KEYLOAN_ARCHIVE_S3_REGION;
  return { url, region, accessKeyId, secretAccessKey: Secret.of(secretAccessKey) };
}

/** The process's own environment. */
export function processEnvironment(): Environment {
  return process.env;
}
