import { secretValues } from "@keyloan/contract";
import { describe, expect, test } from "vitest";
import { testConnectorLive, testContext } from "./kit/testing/index.ts";
import { readLiveKeys } from "./kit/testing/live-keys.ts";
import { liveOneLease } from "./kit/testing/one-lease.ts";
import { connectors } from "./registry.ts";

const lifeMsMax = 180_000;

// At the real providers, with org keys from the environment. What is made there is revoked again, also when a
// test fails. A connector without keys is skipped, and says which variables would enable it.
for (const connector of connectors.filter(({ spec }) => spec.orgFields.length > 0)) {
  const { id } = connector.spec;
  const keys = readLiveKeys(connector.spec, process.env);
  if (keys.state === "incomplete") {
    test(`${id} at the real provider has a whole org key`, () => {
      expect.fail(`Set ${keys.missing.join(", ")} as well, or none of its variables.`);
    });
    continue;
  }
  if (keys.state === "absent") console.log(`${id}: skipped. To test it live, set ${keys.needed.join(", ")}.`);
  const fields = keys.state === "given" ? keys.fields : undefined;
  testConnectorLive({ connector }, fields);
  describe.skipIf(fields === undefined)(`a lease of ${id} at the real provider`, () => {
    test("works from the org key to the second revoke", { timeout: lifeMsMax }, () =>
      liveOneLease(
        connector,
        testContext({ signal: AbortSignal.timeout(lifeMsMax) }),
        secretValues(fields ?? {}),
      ),
    );
  });
}
