import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bundleSdk } from "../build.ts";
import type { TransportRequest } from "./transport.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "keyloan-sdk-"));
  await bundleSdk(folder);
});
afterAll(() => rm(folder, { recursive: true }));

test("the built client stands alone and calls", async () => {
  const { createClient } = await import(join(folder, "index.mjs"));
  const seen: string[] = [];
  const transport = async ({ url, method }: TransportRequest) => {
    seen.push(`${method} ${url}`);
    const headers = { "content-type": "application/json", "x-request-id": `req_${"0".repeat(20)}` };
    return { status: 200, headers, text: '{"builds":[]}' };
  };
  const { builds } = createClient({ url: "https://keyloan.example.com", transport });
  expect(await builds.list()).toEqual({ builds: [] });
  expect(seen).toEqual(["GET https://keyloan.example.com/v1/builds"]);
});

test("it holds no schema library: types only come from the contract", async () => {
  expect(await readFile(join(folder, "index.mjs"), "utf8")).not.toMatch(/zod|safeParse/i);
});
