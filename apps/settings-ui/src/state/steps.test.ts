import { describe, expect, it } from "vitest";
import { binding, saved } from "../testing/service.ts";
import { isOpen, nextStep, stepState, steps } from "./steps.ts";

const lent = binding();
const ready = binding({ saved: saved("valid") });
const unsure = binding({ saved: saved("undetermined") });
const own = binding({ source: "user", saved: saved("valid"), swappedAt: "2026-11-20T13:00:00.000Z" });
const renewed = binding({ source: "user", saved: saved("valid"), swappedAt: "2026-11-20T11:00:00.000Z" });
const before = binding({ source: "user", swappedAt: "2026-11-20T11:00:00.000Z" });
const replacing = binding({ ...before, saved: saved("valid") });
const person = { since: "2026-11-20T10:00:00.000Z" };
const newcomer = { since: "2026-11-20T12:00:00.000Z" };
const finishedAt = "2026-11-20T14:00:00.000Z";

describe("where saved progress leads", () => {
  it.each([
    ["start", { bindings: [lent, lent] }],
    ["keys", { bindings: [lent, ready] }],
    ["keys", { bindings: [unsure, ready] }],
    ["check", { bindings: [ready, ready] }],
    ["check", { bindings: [own, ready] }],
    ["download", { bindings: [own, own] }],
    ["done", { bindings: [own], finishedAt }],
    ["start", { bindings: [before, before], person: {} }],
    ["keys", { bindings: [before, replacing], person: newcomer }],
    ["check", { bindings: [replacing, replacing], person: newcomer }],
  ] as const)("to %s", (expected, settings) => {
    expect(nextStep({ person, ...settings })).toBe(expected);
  });
});

describe("what can be opened", () => {
  it.each([
    [["start", "keys"], { bindings: [lent] }],
    [["start", "keys", "check", "swap"], { bindings: [lent, ready] }],
    [["start", "keys", "check", "swap", "download"], { bindings: [own, ready] }],
    [["start", "keys", "download"], { bindings: [own] }],
    [["start", "keys", "check", "swap", "download"], { bindings: [renewed] }],
    [["done"], { bindings: [own], finishedAt }],
    [["start", "keys"], { bindings: [before], person: {} }],
    [["start", "keys", "check", "swap"], { bindings: [before, replacing], person: newcomer }],
  ] as const)("%j", (expected, settings) => {
    expect(steps.filter((step) => isOpen(step, { person, ...settings }))).toEqual(expected);
  });
});

it("the list says what is done, where one is, and what comes", () => {
  const settings = { bindings: [ready], person };
  expect(steps.map((step) => stepState(step, "keys", settings))).toEqual([
    "done",
    "current",
    "to_come",
    "to_come",
    "to_come",
    "to_come",
  ]);
});
