import {
  type Capability,
  type ConnectorContext,
  ProviderError,
  type SecretValues,
  type ValidationResult,
} from "@keyloan/contract";
import { isS3Error } from "@keyloan/s3-objects";
import { requireField } from "../kit/define-connector.ts";
import { invalid, malformedField, undeterminedFrom } from "../kit/validation-results.ts";
import { openBucket } from "./client.ts";
import { confineAccess, type Lifetime } from "./confine.ts";
import { type BucketAccess, orgAccess, valuesAccess } from "./endpoint.ts";
import { explainRefusal, type FieldNames } from "./explain-refusal.ts";
import { findMistake } from "./find-mistake.ts";
import { r2Spec } from "./spec.ts";
import { checkApiToken, tellOfBoth } from "./validate-api-token.ts";

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
  const result = await classify(orgNames, async (enter) => {
    await tryAll(context, access, prefix, enter);
    enter("limit a credential to a prefix");
    const confined = await confineAccess(fields, access, prefix, probeLifetime(context));
    await tryAll(context, confined, prefix, enter);
    enter("limit a credential to a prefix");
    if ((await reaches(context, confined, `keyloan-check/${randomHex(context)}/outside`)) !== "no") {
      return invalid(
        orgNames.endpoint,
        "rejected",
        "This store does not limit credentials to a prefix.",
        "Lending needs Cloudflare R2 itself: check that the endpoint belongs to your account.",
      );
    }
    const ending = await checkApiToken(context, fields);
    if ("status" in ending) return ending;
    return {
      status: "valid",
      account: placeOf(fields),
      capabilities: [...worked(), works("Can limit a credential to a prefix"), ending],
      warnings: [],
    };
  });
  return isS3KeyRefused(result) ? tellOfBoth(context, fields, result) : result;
}

const isS3KeyRefused = (result: ValidationResult) =>
  result.status === "invalid" &&
  result.code === "rejected" &&
  (result.envVar === orgNames.keyId || result.envVar === orgNames.secret);

/** What a lease's objects are reached by: a key of another bucket does not lead to them. */
function placeOf(fields: SecretValues): string {
  const jurisdiction = fields.jurisdiction?.reveal() ?? "default";
  const place = jurisdiction === "default" ? [] : [jurisdiction];
  return [requireField(fields, "accountId"), ...place, requireField(fields, "bucket")].join("/");
}

/**
 * Do these values of a user or a lease work? One object is written, read, listed and deleted under the
 * prefix; a look outside it tells whether the key reaches further than it must.
 */
export async function validate(context: ConnectorContext, values: SecretValues): Promise<ValidationResult> {
  const refused = findMistake(values) ?? malformedField(r2Spec.env, values);
  if (refused !== undefined) return refused;
  const { prefix, ...access } = valuesAccess(values);
  const names = access.sessionToken === undefined ? envNames : { ...envNames, keyId: "R2_SESSION_TOKEN" };
  return classify(names, async (enter) => {
    await tryAll(context, access, prefix, enter);
    enter("be tried outside its folder");
    const reach = await lookOutside(context, access, prefix);
    return {
      status: "valid",
      account: new URL(access.endpoint).hostname,
      capabilities: [...worked(), ...reach.capabilities],
      warnings: reach.warnings,
    };
  });
}

type Reach = { readonly capabilities: readonly Capability[]; readonly warnings: readonly string[] };

/** A key needs no more than the app's folder, or the app's bucket when it has no folder. */
async function lookOutside(context: ConnectorContext, access: BucketAccess, prefix: string): Promise<Reach> {
  if (prefix === "") {
    const store = await openBucket(context, access);
    // Only a look: whoever refuses it, or does not know the question, shows nothing.
    const seen = await store.listBuckets().catch((): readonly string[] => []);
    return { capabilities: [], warnings: seen.includes(access.bucket) ? [accountWideWarning] : [] };
  }
  const outside = `keyloan-check-${randomHex(context)}`;
  return (await reaches(context, access, outside)) === "yes"
    ? { capabilities: [], warnings: [bucketWideWarning] }
    : { capabilities: [works("Cannot reach anything outside its folder")], warnings: [] };
}

const bucketWideWarning =
  "This key can reach the whole bucket, not only the folder: a separate bucket for the app, without a folder, is safer.";
const accountWideWarning =
  "This key can see every bucket of your account: a key with Object Read & Write on this bucket alone is safer.";

const steps = ["store files", "read files", "list files", "delete files"];
const works = (name: string): Capability => ({ name, state: "works" });
const worked = () => steps.map((step) => works(`Can ${step}`));

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
  const store = await openBucket(context, access);
  const key = `${prefix}keyloan-check-${randomHex(context)}`;
  const text = randomHex(context);
  let isThere = false;
  try {
    enter("store files");
    isThere = true;
    await store.put(key, Buffer.from(text), { headers: { ContentType: "text/plain" } });
    enter("read files");
    const found = await store.read(key, 0);
    if (found === undefined || Buffer.from(found.bytes).toString() !== text) throw wrongAnswer();
    enter("list files");
    const listed = (await store.list(key).next()).value ?? [];
    if (!listed.some((object) => object.key === key)) throw wrongAnswer();
    enter("delete files");
    await store.remove(key);
    isThere = false;
  } finally {
    if (isThere) await store.remove(key).catch(() => undefined);
  }
}

/** Whether a read of a key that does not exist is let through: "not found" is, "denied" is not. */
async function reaches(context: ConnectorContext, access: BucketAccess, key: string): Promise<"yes" | "no"> {
  const store = await openBucket(context, access);
  try {
    await store.read(key, 0);
    return "yes";
  } catch (error) {
    if (isS3Error(error, "AccessDenied")) return "no";
    throw error;
  }
}

const wrongAnswer = () => new ProviderError("r2", "invalid_response", "did not return what was stored in it");

function probeLifetime(context: ConnectorContext): Lifetime {
  const issuedAtSeconds = Math.floor(context.now() / 1000);
  return { issuedAtSeconds, expiresAtSeconds: issuedAtSeconds + probeSeconds };
}

const randomHex = (context: ConnectorContext) => Buffer.from(context.randomBytes(16)).toString("hex");
