import { expect, test } from "vitest";
import { parseEnv } from "./env.ts";
import { environment } from "./testing/values.ts";

const problemsOf = (changes: Record<string, string | undefined>) => {
  const result = parseEnv({ ...environment, ...changes });
  return result.ok ? [] : result.problems;
};

test("a complete environment is read, with its optional parts", () => {
  const result = parseEnv({ ...environment, CLERK_API_URL: "http://127.0.0.1:1" });
  expect(result).toMatchObject({
    ok: true,
    env: {
      port: 0,
      storage: { prefix: "builds/one/", region: "auto", sessionToken: "session" },
      clerk: { apiUrl: "http://127.0.0.1:1" },
    },
  });
});

test("all that is wrong is listed at once, by name and without a value", () => {
  const result = parseEnv({
    PORT: "70000",
    R2_PREFIX: "builds/one",
    JWT_SECRET: "too-short-marked-value",
  });
  const problems = result.ok ? [] : result.problems;
  const named = new Set(problems.map((problem) => /^[A-Z0-9_]+/.exec(problem)?.[0]));
  expect([...named].toSorted()).toEqual([
    "CHECKOUT_TOKEN_SECRET",
    "CLERK_PUBLISHABLE_KEY",
    "CLERK_SECRET_KEY",
    "JWT_SECRET",
    "PORT",
    "R2_ACCESS_KEY_ID",
    "R2_BUCKET",
    "R2_ENDPOINT",
    "R2_PREFIX",
    "R2_SECRET_ACCESS_KEY",
    "STRIPE_PRICE_ID",
    "STRIPE_PUBLISHABLE_KEY",
    "STRIPE_SECRET_KEY",
    "TURSO_DATABASE_URL",
  ]);
  expect(problems.join()).not.toContain("marked-value");
});

test.each([
  { name: "PORT", value: "12x" },
  { name: "TURSO_DATABASE_URL", value: "postgres://host/db" },
  { name: "TURSO_DATABASE_URL", value: "notes.db" },
  { name: "TURSO_AUTH_TOKEN", value: undefined },
  { name: "R2_ENDPOINT", value: "ftp://host" },
  { name: "R2_PREFIX", value: "/builds/" },
  { name: "R2_PREFIX", value: "builds/../other/" },
  { name: "CLERK_SECRET_KEY", value: "pk_test_swapped" },
  { name: "CLERK_SECRET_KEY", value: "sk_test_" },
  { name: "CLERK_SECRET_KEY", value: "sk_live_other-mode" },
  { name: "STRIPE_SECRET_KEY", value: "pk_test_swapped" },
  { name: "STRIPE_PUBLISHABLE_KEY", value: "pk_live_other-mode" },
  { name: "CHECKOUT_TOKEN_SECRET", value: "c".repeat(31) },
])("$name=$value is refused", ({ name, value }) => {
  expect(problemsOf({ [name]: value }).join()).toContain(name.replace(/PUBLISHABLE_KEY$/, ""));
});

test.each([
  { name: "R2_PREFIX", value: undefined },
  { name: "R2_SESSION_TOKEN", value: undefined },
  { name: "PORT", value: "" },
])("$name may be left out", ({ name, value }) => {
  expect(problemsOf({ [name]: value })).toEqual([]);
});

test("a database in a local file needs no token", () => {
  expect(problemsOf({ TURSO_DATABASE_URL: "file:./notes.db", TURSO_AUTH_TOKEN: undefined })).toEqual([]);
});
