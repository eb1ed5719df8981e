import { describe, expect, expectTypeOf, it } from "vitest";
import type { SettingsView } from "../api/settings.ts";
import { endpoints } from "./all.ts";
import { addressOf, type CallAnswer, type CallInput } from "./call.ts";
import * as tables from "./routes.ts";
import { buildRoutes, databaseRoutes, jobRoutes, type settingsRoutes } from "./routes.ts";

const routes: readonly string[] = Object.values(tables).flatMap((table) => Object.values(table));

describe("the table of endpoints", () => {
  it("has one endpoint for each route, and no route twice", () => {
    expect(endpoints.map(({ route }) => route).toSorted()).toEqual(routes.toSorted());
    expect(new Set(routes).size).toBe(routes.length);
    expect(routes.length).toBeGreaterThan(60);
  });

  it("names each call, and shows a body for each that takes one", () => {
    expect(new Set(endpoints.map(({ operationId }) => operationId)).size).toBe(endpoints.length);
    for (const { route, operationId, body, example } of endpoints) {
      expect(operationId, route).toMatch(/^[a-z]+(?:[A-Z][a-z]+)+$/);
      expect(body?.safeParse(example).success ?? example === undefined, route).toBe(true);
    }
  });

  it("has a schema for exactly the parameters of each path", () => {
    for (const { route, params } of endpoints) {
      const named = [...route.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name);
      expect(Object.keys(params?.shape ?? {}).toSorted(), route).toEqual(named.toSorted());
    }
  });
});

describe("addressOf", () => {
  it("puts in what is given, encoded, and leaves out what is not", () => {
    const params = { id: "bld_1", connector: "a/../b?c=d#e" };
    expect(addressOf(databaseRoutes.download, { params })).toEqual({
      method: "GET",
      path: "/v1/builds/bld_1/databases/a%2F..%2Fb%3Fc%3Dd%23e/download",
    });
    const query = { state: "ready&x=1", cursor: undefined, limit: 5 };
    expect(addressOf(buildRoutes.list, { query }).path).toBe("/v1/builds?state=ready%26x%3D1&limit=5");
    expect(addressOf(buildRoutes.list, {}).path).toBe("/v1/builds");
  });

  it("refuses a parameter that would leave its place in the path", () => {
    for (const id of ["", ".", ".."]) {
      expect(() => addressOf(jobRoutes.show, { params: { id } })).toThrow(/id/);
    }
    expect(() => addressOf(jobRoutes.show, {})).toThrow(/id/);
  });
});

it("types a call by its route", () => {
  expectTypeOf<CallAnswer<typeof settingsRoutes.show>>().toEqualTypeOf<SettingsView>();
  expectTypeOf<{ params: { id: string } }>().toExtend<CallInput<typeof jobRoutes.cancel>>();
  expectTypeOf<{ body: { confirm: string } }>().not.toExtend<CallInput<typeof jobRoutes.cancel>>();
  expectTypeOf<{ body: object }>().not.toExtend<CallInput<typeof settingsRoutes.swap>>();
});
