import {
  type Capability,
  type ConnectorContext,
  ProviderError,
  type SecretValues,
  type ValidationResult,
} from "@keyloan/contract";
import { requireField } from "../kit/define-connector.ts";
import { toHttpAddress } from "../kit/libsql/address.ts";
import type { LibsqlDatabase } from "../kit/libsql/pipeline.ts";
import { type CheckAnswer, runChecks } from "../kit/libsql/run-checks.ts";
import { invalid, malformedField, undeterminedFrom } from "../kit/validation-results.ts";
import { tursoSpec } from "./spec.ts";
import { tokenWarnings } from "./token-expiration.ts";

const urlName = "TURSO_DATABASE_URL";
const tokenName = "TURSO_AUTH_TOKEN";

/**
 * Does the token open the database, and may it write? What it writes it removes again. A token that only
 * reads is refused: every app with a database writes.
 */
export async function validate(context: ConnectorContext, values: SecretValues): Promise<ValidationResult> {
  const shape = malformedField(tursoSpec.env, values);
  if (shape !== undefined) return shape;
  const address = toHttpAddress(requireField(values, urlName));
  if (address === undefined) {
    return invalid(
      urlName,
      "malformed",
      "This is not the URL of a database.",
      "Copy the URL again: libsql://…",
    );
  }
  const token = requireField(values, tokenName);
  const database: LibsqlDatabase = { provider: "turso", context, address, token };
  try {
    const reading = await runChecks(database, ["SELECT 1"]);
    const refused = readRefusal(reading) ?? (await tryWriting(context, database));
    if (refused !== undefined) return refused;
    return {
      status: "valid",
      account: new URL(address).hostname,
      capabilities: [works("Can read data"), works("Can create tables and write data")],
      warnings: [
        ...(address.startsWith("https:") ? [] : ["The connection is not encrypted."]),
        ...tokenWarnings(token),
      ],
    };
  } catch (error) {
    return undeterminedFrom(error);
  }
}

const works = (name: string): Capability => ({ name, state: "works" });

function readRefusal(answer: CheckAnswer): ValidationResult | undefined {
  if (answer.status === 200) {
    const first = answer.results?.[0];
    if (first?.ok === true && first.cell === 1) return undefined;
    return invalid(
      urlName,
      "rejected",
      first?.ok === false && first.code === "BLOCKED"
        ? "The database is blocked."
        : "The database does not answer a query.",
      "Open the database in the Turso dashboard and find out why it does not answer.",
    );
  }
  if (answer.status === 401 || answer.status === 403) {
    return invalid(
      tokenName,
      answer.status === 401 ? "rejected" : "lacks_permission",
      "The database refuses the token.",
      "Create a token for exactly this database and copy it completely.",
    );
  }
  if (answer.status === 404) {
    return invalid(
      urlName,
      "rejected",
      "There is no such database, or the token belongs to another one.",
      "Copy the URL and a token of the same database.",
    );
  }
  throw strangeAnswer(answer.status);
}

async function tryWriting(
  context: ConnectorContext,
  database: LibsqlDatabase,
): Promise<ValidationResult | undefined> {
  const table = `keyloan_check_${Buffer.from(context.randomBytes(8)).toString("hex")}`;
  // The statements run one by one: the last is tried even when one before it fails.
  const answer = await runChecks(database, [
    `CREATE TABLE ${table} (value INTEGER NOT NULL)`,
    `INSERT INTO ${table} VALUES (41)`,
    `SELECT value FROM ${table}`,
    `DROP TABLE IF EXISTS ${table}`,
  ]);
  if (answer.status === 401 || answer.status === 403) {
    return invalid(
      tokenName,
      "lacks_permission",
      "This token can only read, but your app must write.",
      "Create a token for this database that can read and write, and enter it here.",
    );
  }
  if (answer.status !== 200) throw strangeAnswer(answer.status);
  return writeRefusal(answer);
}

function writeRefusal({ results = [] }: CheckAnswer): ValidationResult | undefined {
  const failed = results.find((result) => !result.ok);
  if (failed?.ok === false) {
    if (failed.code === "SQLITE_BUSY") {
      throw new ProviderError("turso", "unavailable", "is busy with another write");
    }
    return invalid(
      urlName,
      "lacks_permission",
      failed.code === "BLOCKED"
        ? "The database does not accept writes."
        : "The database does not let the token write.",
      "Open the database in the Turso dashboard and check whether writes are blocked or its space is used up.",
    );
  }
  const read = results[2];
  if (read?.ok === true && read.cell === 41) return undefined;
  throw new ProviderError("turso", "invalid_response", "did not return what was written");
}

/** Any other status says nothing of the values. */
function strangeAnswer(status: number): ProviderError {
  return new ProviderError("turso", "invalid_response", `answered ${status}`, { status });
}
