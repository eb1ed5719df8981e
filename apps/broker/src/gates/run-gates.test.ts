import { gateResultSchema } from "@keyloan/contract";
import { describe, expect, it } from "vitest";
import type { Gate } from "./gate.ts";
import { gates, runGates } from "./run-gates.ts";
import { gateInput } from "./testing/gate-input.ts";

const gate = (ask: Gate["ask"]): Gate => ({ name: "some_gate", passed: "It passed.", ask });

describe("runGates", () => {
  it("gives one pass for each gate that finds nothing, in order", async () => {
    const results = await runGates(gateInput());
    expect(results.map((result) => [result.gate, result.status])).toEqual(
      gates.map(({ name }) => [name, "pass"]),
    );
  });

  it("gives every finding with its gate, and its remedy", async () => {
    const values = { PAY_SECRET: "nonsense", PAY_PUBLIC: undefined, PAY_HOOK: undefined };
    const results = await runGates(gateInput({ pay: { values, check: undefined } }));
    const found = results.filter(({ status }) => status !== "pass");
    expect(found.map((result) => result.gate)).toEqual([
      "required_variables",
      "right_shapes",
      "keys_checked",
      "webhook_secret",
    ]);
    expect(found.every(({ remedy }) => remedy !== undefined && remedy !== "")).toBe(true);
    for (const result of results) expect(gateResultSchema.parse(result)).toEqual(result);
  });

  it.each<[string, Gate["ask"]]>([
    [
      "throws",
      () => {
        throw new Error("canary");
      },
    ],
    ["rejects", () => Promise.reject(new Error("canary"))],
    [
      "throws what is no error",
      () => {
        throw "canary";
      },
    ],
  ])("takes a gate that %s for a fail, asks the others, and tells the operator alone", async (_what, ask) => {
    const mistakes: unknown[] = [];
    const input = gateInput({}, { onMistake: (name) => mistakes.push(name) });
    const results = await runGates(input, [gate(ask), gate(() => [])]);
    expect(results).toMatchObject([{ gate: "some_gate", status: "fail" }, { status: "pass" }]);
    expect(JSON.stringify(results)).not.toContain("canary");
    expect(mistakes).toEqual(["some_gate"]);
  });

  it("fails when it cannot be asked whether keys were lent", async () => {
    const results = await runGates(gateInput({}, { isOurs: () => Promise.reject(new Error("no store")) }));
    expect(results.filter(({ status }) => status === "fail").map((result) => result.gate)).toEqual([
      "none_ours",
    ]);
  });
});
