import { secretValues } from "@keyloan/contract";
import { describe, test } from "vitest";
import { loadEmulators } from "../../emulators.ts";
import { connectors } from "../../registry.ts";
import { openEmulatorTarget, testContext } from "./harness.ts";
import { liveOneLease } from "./one-lease.ts";

describe("the life of one lease, as it is tried at real providers", () => {
  test.each(connectors.map((connector) => [connector.spec.id, connector] as const))(
    "of %s goes well at its stand-in",
    async (id, connector) => {
      const start = (await loadEmulators()).get(id);
      if (start === undefined) return liveOneLease(connector, testContext(), secretValues({}));
      const { orgFields, baseUrl, close } = await openEmulatorTarget(start);
      try {
        await liveOneLease(connector, testContext({ baseUrl }), orgFields);
      } finally {
        await close();
      }
    },
  );
});
