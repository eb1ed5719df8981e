import type { ConnectorContext, SecretValues } from "@keyloan/contract";
import { describe, expect, test } from "vitest";
import { type ContentTools, collect, inPieces, table } from "./content-tools.ts";
import { everythingOf } from "./harness.ts";

/** That whatever is done with a database's content ends in time, and without secrets, when the database fails. */
export function describeFailing(tools: ContentTools): void {
  const { content, newDatabase, run, dump } = tools;
  const steps = [
    ["dump", (context: ConnectorContext, values: SecretValues) => collect(content.dump(context, values))],
    ["summarize", (context: ConnectorContext, values: SecretValues) => content.summarize(context, values)],
    [
      "load",
      async (context: ConnectorContext, values: SecretValues) => {
        const source = await newDatabase();
        await run(source, table);
        return content.load(context, values, inPieces(await dump(source)));
      },
    ],
    ["empty", (context: ConnectorContext, values: SecretValues) => content.empty(context, values)],
    ["isEmpty", (context: ConnectorContext, values: SecretValues) => content.isEmpty(context, values)],
    [
      "takeBack",
      (context: ConnectorContext, values: SecretValues) => content.takeBack(context, values, "trf_1"),
    ],
    ["settle", (context: ConnectorContext, values: SecretValues) => content.settle(context, values, "trf_1")],
    [
      "probeDurability",
      (context: ConnectorContext, values: SecretValues) => content.probeDurability(context, values, {}),
    ],
  ] as const;

  describe.concurrent.each(steps)("%s", (_step, act) => {
    test.each([
      ["cannot be reached", () => Promise.reject(new TypeError("fetch failed")), { code: "network" }],
      ["is down", async () => new Response("marked-body", { status: 503 }), { code: "unavailable" }],
      [
        "refuses the token",
        async () => new Response("marked-body", { status: 401 }),
        { code: "unauthorized" },
      ],
      ["answers something else", async () => new Response("marked-body"), { code: "invalid_response" }],
    ] as const)(
      "of a database that %s ends in an error without secrets or a provider's words",
      async (_what, answer, expected) => {
        const values = await newDatabase();
        const error: unknown = await act({ ...tools.context(), fetch: answer }, values).then(
          () => "it did not fail",
          (reason: unknown) => reason,
        );
        expect(error).toMatchObject({ name: "ProviderError", ...expected });
        const shown = everythingOf(error);
        const secrets = Object.values(values).map((value) => value.reveal());
        expect(secrets.filter((secret) => shown.includes(secret))).toEqual([]);
        expect(shown).not.toContain("marked-body");
      },
    );

    test("ends when the caller gives up", async () => {
      const signal = AbortSignal.abort(new DOMException("time is up", "TimeoutError"));
      const acting = act({ ...tools.context(), signal }, await newDatabase());
      await expect(acting).rejects.toMatchObject({ name: "ProviderError", code: "timeout" });
    });
  });
}
