import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { connectorIdPattern, idPattern, idSuffix, newId } from "./ids.ts";
import { assertTransition, buildTransitions, leaseTransitions } from "./states.ts";

describe("ids", () => {
  it("match their pattern, differ, and stay safe in host names, paths and globs", () => {
    const ids = Array.from({ length: 500 }, () => newId("build", randomBytes));
    expect(new Set(ids).size).toBe(500);
    expect(ids.every((id) => idPattern("build").test(id) && /^[0-9a-z]{20}$/.test(idSuffix(id)))).toBe(true);
  });

  it.each([
    "bld_",
    "bld_../../etc/passwd00000",
    "BLD_00000000000000000000",
    "bld_0000000000000000000*",
    "tok_00000000000000000000",
  ])("of another form are refused: %s", (id) => expect(idPattern("build").test(id)).toBe(false));

  it.each(["", "-a", "a-", "a--b", "A", "a_b", "a/b", "1a"])(
    "of connectors are words and dashes, not %j",
    (id) => {
      expect(connectorIdPattern.test(id)).toBe(false);
    },
  );
});

describe("states", () => {
  it("move only as their table says", () => {
    expect(() => assertTransition(leaseTransitions, "planned", "active")).not.toThrow();
    expect(() => assertTransition(leaseTransitions, "released", "active")).toThrow(/illegal move/);
    expect(() => assertTransition(buildTransitions, "closed", "ready")).toThrow(/illegal move/);
    expect(() => assertTransition(buildTransitions, "ready", "ready")).toThrow(/illegal move/);
    expect(() => assertTransition(buildTransitions, "nowhere", "ready")).toThrow(/illegal move/);
  });
});
