import type { Connector, FieldSpec } from "@keyloan/contract";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isTyped, ownValueProblem } from "../check-own-values.ts";
import { writtenNames } from "../define-connector.ts";
import { leaseRequest, slotOf } from "./harness.ts";

// Letters, digits and signs of addresses. Others can be code to something that reads the env.
const harmless = /^[A-Za-z0-9_./:@%+,=?&#~-]*$/;

/** What a connector promises about its own description and plan. No network. */
export function describeSpec(connector: Connector, options: unknown): void {
  const { spec } = connector;
  const fields: readonly FieldSpec[] = [...spec.orgFields, ...spec.env];
  const fieldRows = fields.map((field): [string, FieldSpec] => [field.name, field]);

  describe("its description", () => {
    test("names every variable once, in upper case", () => {
      const names = [...writtenNames(spec)];
      expect(new Set(names).size).toBe(names.length);
      expect(names.filter((name) => !/^[A-Z][A-Z0-9_]*$/.test(name))).toEqual([]);
    });

    test("names every org field once", () => {
      const names = spec.orgFields.map(({ name }) => name);
      expect(new Set(names).size).toBe(names.length);
      expect(names.filter((name) => !/^[a-z][A-Za-z0-9]*$/.test(name))).toEqual([]);
    });

    test("says in words what it is for and what ending a lease does", () => {
      expect(spec.summary).toMatch(/^\S.+\.$/);
      expect(spec.revocation).toMatch(/^\S.+\.$/);
    });

    test("leads to the provider's page for every org field", () => {
      expect(spec.orgFields.filter(({ helpUrl }) => helpUrl === undefined)).toEqual([]);
    });

    test.each(fieldRows)("%s: has a label and its links are https", (_name, field) => {
      expect(field.label.trim()).not.toBe("");
      expect(field.helpUrl ?? "https://none.example").toMatch(/^https:\/\/[^\s@]+$/);
    });

    test.each(fieldRows)("%s: its pattern compiles for forms too and is anchored", (_name, field) => {
      const pattern = field.pattern ?? "^$";
      expect(() => new RegExp(pattern, "v")).not.toThrow();
      expect(pattern).toMatch(/^\^[\s\S]*\$$/);
    });

    test.each(fieldRows)(
      "%s: its pattern admits no text that a shell or an env file runs",
      (_name, field) => {
        // Without what a value may not be, which cannot be made at random and only admits less.
        const made = fc.stringMatching(new RegExp(field.pattern?.replaceAll(/\(\?![^)]*\)/g, "") ?? "[^]*"));
        fc.assert(
          fc.property(made, (value) => harmless.test(value)),
          { numRuns: 200, seed: 1 },
        );
      },
    );

    test.each(fieldRows)("%s: its example shows the form and is no working value", (_name, field) => {
      const { example, pattern, secret } = field;
      // An elided example ("abc_…") is the only one allowed for a secret: it can never be mistaken for one.
      const elided = example?.includes("…") === true;
      expect({ secret, example, elided: elided || example === undefined || !secret }).toMatchObject({
        elided: true,
      });
      const matches = new RegExp(pattern ?? "").test(example ?? "");
      expect(example === undefined || elided !== matches || pattern === undefined).toBe(true);
    });

    test("never shows a secret to a browser", () => {
      expect(spec.env.filter(({ exposure, secret }) => exposure === "browser" && secret)).toEqual([]);
    });
  });

  describe("its card for a user's own keys", () => {
    const typed = spec.env.filter(isTyped);

    test("contradicts itself nowhere", () => {
      expect(ownValueProblem(spec)).toBeUndefined();
    });

    test("says of every variable where its value then comes from", () => {
      expect(spec.env.filter(({ own }) => own === undefined).map(({ name }) => name)).toEqual([]);
    });

    test("says in a sentence what happens to what the app stored", () => {
      expect(spec.onSwap).toMatch(/^[A-Z].+\.$/);
    });

    test("says in a sentence what to type, and shows where it is unless it may be left out", () => {
      expect(typed.filter(({ help }) => !/^[A-Z].+\.$/.test(help ?? "")).map(({ name }) => name)).toEqual([]);
      const lost = typed.filter(({ helpUrl, optional }) => helpUrl === undefined && optional !== true);
      expect(lost.map(({ name }) => name)).toEqual([]);
    });

    test("tells the form of every typed value, so that a slip is seen at once", () => {
      expect(typed.filter(({ pattern }) => pattern === undefined).map(({ name }) => name)).toEqual([]);
    });

    test("guides to the keys in few steps, when there is anything to get", () => {
      expect(spec.guide === undefined).toBe(typed.length === 0);
      expect(spec.guide?.steps.length ?? 1).toBeLessThanOrEqual(7);
    });
  });

  describe("its plan", () => {
    test("is the same every time it is asked", () => {
      const request = leaseRequest(connector, options);
      expect(slotOf(connector).plan(request)).toEqual(slotOf(connector).plan(structuredClone(request)));
    });

    test("names different things for two leases, or nothing", () => {
      const first = slotOf(connector).plan(leaseRequest(connector, options));
      const second = slotOf(connector).plan(leaseRequest(connector, options));
      expect(Object.keys(first).length === 0 || JSON.stringify(first) !== JSON.stringify(second)).toBe(true);
    });

    test("holds plain short texts only", () => {
      const handle = slotOf(connector).plan(leaseRequest(connector, options));
      const odd = Object.values(handle).filter((value) => typeof value !== "string" || value.length > 500);
      expect(odd).toEqual([]);
    });
  });
}
