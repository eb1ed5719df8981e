import {
  type Capability,
  type ConnectorContext,
  type InvalidKeyCode,
  ProviderError,
  type SecretValues,
  type ValidationResult,
} from "@keyloan/contract";
import { requireField } from "../kit/define-connector.ts";
import { malformedField, undeterminedFrom } from "../kit/validation-results.ts";
import { type PipelineAnswer, runPipeline, toHttpAddress } from "./pipeline.ts";
import { tursoSpec } from "./spec.ts";

const urlName = "TURSO_DATABASE_URL";
const tokenName = "TURSO_AUTH_TOKEN";

/** Does the token open the database, and may it write? What it writes it removes again. */
export async function validate(context: ConnectorContext, values: SecretValues): Promise<ValidationResult> {
  const shape = malformedField(tursoSpec.env, values);
  if (shape !== undefined) return shape;
  const address = toHttpAddress(requireField(values, urlName));
  if (address === undefined) {
    return invalid(urlName, "malformed", "the URL is not a database's", "Copy the URL again: libsql://…");
  }
  const token = requireField(values, tokenName);
  try {
    const reading = await runPipeline(context, address, token, ["SELECT 1"]);
    const refused = readRefusal(reading);
    if (refused !== undefined) return refused;
    return {
      status: "valid",
      account: new URL(address).hostname,
      capabilities: [{ name: "read", state: "works" }, await writeCapability(context, address, token)],
      warnings: address.startsWith("https:") ? [] : ["The connection is not encrypted."],
    };
  } catch (error) {
    return undeterminedFrom(error);
  }
}

function readRefusal(answer: PipelineAnswer): ValidationResult | undefined {
  if (answer.status === 200) {
    const first = answer.results?.[0];
    if (first?.ok === true && first.rows[0]?.[0] === 1) return undefined;
    return invalid(
      urlName,
      "rejected",
      first?.ok === false && first.code === "BLOCKED"
        ? "the database is blocked"
        : "the database does not run a query",
      "Open the database in the dashboard and see why it does not serve.",
    );
  }
  if (answer.status === 401 || answer.status === 403) {
    return invalid(
      tokenName,
      answer.status === 401 ? "rejected" : "lacks_permission",
      "the database refuses the token",
      "Create a token for this very database and copy it whole.",
    );
  }
  if (answer.status === 404) {
    return invalid(
      urlName,
      "rejected",
      "there is no such database, or the token is another's",
      "Copy the URL and a token of the same database.",
    );
  }
  throw strangeAnswer(answer.status);
}

async function writeCapability(
  context: ConnectorContext,
  address: string,
  token: string,
): Promise<Capability> {
  const table = `keyloan_check_${Buffer.from(context.randomBytes(8)).toString("hex")}`;
  // The statements run one by one: the last is tried even when one before it fails.
  const answer = await runPipeline(context, address, token, [
    `CREATE TABLE ${table} (value INTEGER NOT NULL)`,
    `INSERT INTO ${table} VALUES (41)`,
    `SELECT value FROM ${table}`,
    `DROP TABLE IF EXISTS ${table}`,
  ]);
  if (answer.status === 200) {
    const read = answer.results?.[2];
    const works = answer.results?.every(({ ok }) => ok) === true && read?.ok && read.rows[0]?.[0] === 41;
    if (works) return { name: "write", state: "works" };
    if (answer.results?.some((result) => !result.ok && result.code === "SQLITE_BUSY")) {
      throw new ProviderError("turso", "unavailable", "is busy with another write");
    }
  } else if (answer.status !== 401 && answer.status !== 403) {
    throw strangeAnswer(answer.status);
  }
  return {
    name: "write",
    state: "missing",
    remedy: "The token only reads, or writes are blocked: create a token with full access.",
    helpUrl: "https://app.turso.tech",
  };
}

/** Any other status says nothing of the values. */
function strangeAnswer(status: number): ProviderError {
  return new ProviderError("turso", "invalid_response", `answered ${status}`, { status });
}

function invalid(envVar: string, code: InvalidKeyCode, message: string, remedy: string): ValidationResult {
  return { status: "invalid", envVar, code, message, remedy };
}
