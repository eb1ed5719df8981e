import { type Connector, type SecretValues, secretValues } from "@keyloan/contract";
import { describe } from "vitest";
import type { Calls } from "../calls/define-calls.ts";
import type { StartEmulator } from "../emulator.ts";
import { describeCalls } from "./call-promises.ts";
import { type OpenTarget, openEmulatorTarget } from "./harness.ts";
import { describeFailures, describeIssuing } from "./issuer-promises.ts";
import { describeListing } from "./listing-promises.ts";
import { describeReadingBack } from "./read-back-promises.ts";
import { describeRotating } from "./rotation-promises.ts";
import { describeSpec } from "./spec-promises.ts";
import { describeUserKeys, type UserSamples } from "./user-promises.ts";
import { describeValidation, type ValidationSamples } from "./validation-promises.ts";

export type ConnectorSuite = {
  readonly connector: Connector;
  /** Absent only for a connector that calls no provider. */
  readonly startEmulator?: StartEmulator;
  /** The connector's part of a build request used for every lease of the suite. */
  readonly options?: unknown;
  /** Whether `issue` (`create` and `access`) talks to the provider. Default: when there is a stand-in. */
  readonly issues?: "locally" | "at_provider";
  /** Whether `revoke` (`drop`) talks to the provider. Default: as `issues`. */
  readonly revokes?: "locally" | "at_provider";
  /** Whether `rotate` talks to the provider, or refuses before it does. Default: as `issues`. */
  readonly rotates?: "locally" | "at_provider" | "refused";
  /** The table of the calls that it makes at its own address. */
  readonly calls?: Calls;
  /** Does what an app does with lent values so that the provider holds something; by default nothing. */
  readonly use?: (values: SecretValues) => Promise<void>;
} & ValidationSamples &
  UserSamples;

/**
 * Registers the promises that every connector keeps, as tests: a sane description, a pure plan, honest
 * answers about keys whatever the provider does, leases that can be repeated and revoked, and errors
 * that carry neither a secret nor a provider's words.
 */
export function testConnector(suite: ConnectorSuite): void {
  const { connector, startEmulator } = suite;
  const issues = suite.issues ?? (startEmulator === undefined ? "locally" : "at_provider");
  const issuerSuite = { connector, options: suite.options, issues, revokes: suite.revokes ?? issues };

  describe(`${connector.spec.id} keeps what every connector promises`, () => {
    describeSpec(connector, suite.options);
    const rotates = suite.rotates ?? issues;
    if (startEmulator === undefined) {
      describeIssuing(issuerSuite, openNothing);
      describeRotating({ ...issuerSuite, rotates }, openNothing);
      return;
    }
    describeValidation(connector, startEmulator, suite);
    describeUserKeys(connector, startEmulator, suite);
    const open = () => openEmulatorTarget(startEmulator);
    if (suite.calls !== undefined) describeCalls(connector, suite.calls, suite.options, open);
    describeIssuing(issuerSuite, open);
    describeFailures(issuerSuite, open);
    describeReadingBack({ ...issuerSuite, ...(suite.use === undefined ? {} : { use: suite.use }) }, open);
    describeRotating({ ...issuerSuite, rotates }, open);
    describeListing(suite, open);
  });
}

/**
 * The promises of leases, against a real account. Without its keys the tests are reported as skipped.
 * @param orgFields the org key by field name, or `undefined` when none is given
 */
export function testConnectorLive(
  suite: Pick<ConnectorSuite, "connector" | "options">,
  orgFields: Readonly<Record<string, string>> | undefined,
): void {
  const { connector, options } = suite;
  const fields: SecretValues = secretValues(orgFields ?? {});
  describe.skipIf(orgFields === undefined)(`${connector.spec.id} at the real provider`, () => {
    describeIssuing({ connector, options, issues: "at_provider", revokes: "at_provider" }, async () => ({
      orgFields: fields,
      close: async () => {},
    }));
  });
}

const openNothing: OpenTarget = async () => ({ orgFields: {}, close: async () => {} });
