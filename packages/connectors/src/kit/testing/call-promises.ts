import type { Connector, ConnectorContext } from "@keyloan/contract";
import { describe, expect, test } from "vitest";
import { type Calls, callLines } from "../calls/define-calls.ts";
import { type OpenTarget, orgCredential, planLease, slotOf, testContext } from "./harness.ts";

/** That a connector asks nothing of its provider but what its table names: README and stand-in follow from that. */
export function describeCalls(connector: Connector, calls: Calls, options: unknown, open: OpenTarget): void {
  const known = callLines(calls).map((line) => new RegExp(`^${line.replaceAll(/\{\w+\}/g, "[^/]+")}$`));

  describe("its table of calls", () => {
    test("names all that is asked, from the check of a key to the end of a lease", async () => {
      const target = await open();
      const asked = new Set<string>();
      const recording: ConnectorContext["fetch"] = async (input, init) => {
        const { method, url } = new Request(input, init);
        if (target.baseUrl !== undefined && url.startsWith(target.baseUrl))
          asked.add(`${method} ${new URL(url).pathname}`);
        return fetch(input, init);
      };
      const context = testContext({
        fetch: recording,
        ...(target.baseUrl === undefined ? {} : { baseUrl: target.baseUrl }),
      });
      try {
        await connector.validateOrgKey?.(context, target.orgFields);
        const org = await orgCredential(connector, context, target.orgFields);
        const lease = planLease(connector, options);
        const values = await slotOf(connector).issue(context, org, lease);
        await connector.validate(context, values);
        await connector.issuer?.rotate?.(context, org, lease);
        for await (const _ of connector.issuer?.list?.(context, org) ?? []) break;
        await slotOf(connector).revoke(context, org, lease);
        expect([...asked].filter((line) => !known.some((form) => form.test(line)))).toEqual([]);
        expect(asked.size).toBeGreaterThan(0);
      } finally {
        await target.close();
      }
    });
  });
}
