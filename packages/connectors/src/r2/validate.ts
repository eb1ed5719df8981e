import {
  type Capability,
  type ConnectorContext,
  ProviderError,
  type SecretValues,
  type ValidationResult,
} from "@keyloan/contract";
import { requireField } from "../kit/define-connector.ts";
import { malformedField, undeterminedFrom } from "../kit/validation-results.ts";
import { openObjectStore } from "./client.ts";
import { confineAccess, type Lifetime } from "./confine.ts";
import { type BucketAccess, orgAccess } from "./endpoint.ts";
import { isR2Error } from "./errors.ts";
import { explainRefusal, type FieldNames } from "./explain-refusal.ts";
import { r2Spec } from "./spec.ts";
import { checkApiToken } from "./validate-api-token.ts";

const orgNames: FieldNames = {
  bucket: "bucket",
  keyId: "accessKeyId",
  secret: "secretAccessKey",
  endpoint: "accountId",
};
const envNames: FieldNames = {
  bucket: "R2_BUCKET",
  keyId: "R2_ACCESS_KEY_ID",
  secret: "R2_SECRET_ACCESS_KEY",
  endpoint: "R2_ENDPOINT",
};
const probeSeconds = 300;

/**
 * Does the org's key do what lending needs? It writes, reads, lists and deletes one object under
 * `keyloan-check/`, then shows with a credential of five minutes that confinement holds; with an API token
 * it makes and deletes a token too.
 */
export async function validateOrgKey(
  context: ConnectorContext,
  fields: SecretValues,
): Promise<ValidationResult> {
  const malformed = malformedField(r2Spec.orgFields, fields);
  if (malformed !== undefined) return malformed;
  const access = orgAccess(context, fields);
  const prefix = `keyloan-check/${randomHex(context)}/`;
  return classify(orgNames, async (enter) => {
    await tryAll(context, access, prefix, enter);
    enter("lend a confined credential");
    const confined = await confineAccess(fields, access, prefix, probeLifetime(context));
    await tryAll(context, confined, prefix, enter);
    enter("lend a confined credential");
    if ((await reaches(context, confined, `keyloan-check/${randomHex(context)}/outside`)) !== "no") {
      return {
        status: "invalid",
        envVar: orgNames.endpoint,
        code: "rejected",
        message: "this store does not confine credentials to a prefix",
        remedy: "Lending needs Cloudflare R2 itself: check that the endpoint is that of your account.",
      };
    }
    const ending = await checkApiToken(context, fields);
    if ("status" in ending) return ending;
    return {
      status: "valid",
      capabilities: [...worked(), works("lend a confined credential"), ending],
      warnings: [],
    };
  });
}

/**
 * Do these values of a user or a lease work? One object is written, read, listed and deleted under the
 * prefix; a look outside it tells whether the key reaches further than it must.
 */
export async function validate(context: ConnectorContext, values: SecretValues): Promise<ValidationResult> {
  const malformed = malformedField(r2Spec.env, values);
  if (malformed !== undefined) return malformed;
  const sessionToken = values.R2_SESSION_TOKEN?.reveal();
  const access: BucketAccess = {
    endpoint: requireField(values, "R2_ENDPOINT").replace(/\/+$/, ""),
    bucket: requireField(values, "R2_BUCKET"),
    accessKeyId: requireField(values, "R2_ACCESS_KEY_ID"),
    secretAccessKey: requireField(values, "R2_SECRET_ACCESS_KEY"),
    ...(sessionToken === undefined ? {} : { sessionToken }),
  };
  const prefix = values.R2_PREFIX?.reveal() ?? "";
  const names = sessionToken === undefined ? envNames : { ...envNames, keyId: "R2_SESSION_TOKEN" };
  return classify(names, async (enter) => {
    await tryAll(context, access, prefix, enter);
    enter("stay inside the prefix");
    const outside = `keyloan-check-${randomHex(context)}`;
    const isWide = prefix !== "" && (await reaches(context, access, outside)) === "yes";
    return { status: "valid", capabilities: worked(), warnings: isWide ? [wideWarning] : [] };
  });
}

const wideWarning =
  "This key reaches the whole bucket, not only the prefix: a token for a bucket of its own is safer.";

const steps = ["write objects", "read objects", "list objects", "delete objects"];
const works = (name: string): Capability => ({ name, state: "works" });
const worked = () => steps.map(works);

/** Runs the steps and turns the first failure into an answer that names the step. */
async function classify(
  names: FieldNames,
  run: (enter: (step: string) => void) => Promise<ValidationResult>,
): Promise<ValidationResult> {
  let step = "";
  try {
    return await run((entered) => {
      step = entered;
    });
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    return explainRefusal(error, names, step) ?? undeterminedFrom(error);
  }
}

/** Puts, reads, lists and deletes one object; it is deleted whatever happens. */
async function tryAll(
  context: ConnectorContext,
  access: BucketAccess,
  prefix: string,
  enter: (step: string) => void,
): Promise<void> {
  const store = await openObjectStore(context, access);
  const key = `${prefix}keyloan-check-${randomHex(context)}`;
  const text = randomHex(context);
  let isThere = false;
  try {
    enter("write objects");
    isThere = true;
    await store.put(key, text);
    enter("read objects");
    if ((await store.get(key)) !== text) throw wrongAnswer();
    enter("list objects");
    if (!(await store.listKeys(key).next()).value?.includes(key)) throw wrongAnswer();
    enter("delete objects");
    await store.remove(key);
    isThere = false;
  } finally {
    if (isThere) await store.remove(key).catch(() => undefined);
  }
}

/** Whether a read of a key that does not exist is let through: "not found" is, "denied" is not. */
async function reaches(context: ConnectorContext, access: BucketAccess, key: string): Promise<"yes" | "no"> {
  const store = await openObjectStore(context, access);
  try {
    await store.get(key);
    return "yes";
  } catch (error) {
    if (isR2Error(error, "NoSuchKey")) return "yes";
    if (isR2Error(error, "AccessDenied")) return "no";
    throw error;
  }
}

const wrongAnswer = () =>
  new ProviderError("r2", "invalid_response", "did not give back what was put into it");

function probeLifetime(context: ConnectorContext): Lifetime {
  const issuedAtSeconds = Math.floor(context.now() / 1000);
  return { issuedAtSeconds, expiresAtSeconds: issuedAtSeconds + probeSeconds };
}

const randomHex = (context: ConnectorContext) => Buffer.from(context.randomBytes(16)).toString("hex");
