import { describe, expect, expectTypeOf, it } from "vitest";
import type { SettingsView } from "../api/settings.ts";
import { endpoints } from "./all.ts";
import { addressOf, type CallAnswer, type CallInput } from "./call.ts";
import type { Endpoint } from "./endpoint.ts";
import * as tables from "./routes.ts";
import {
  buildRoutes,
  databaseRoutes,
  handoffRoutes,
  jobRoutes,
  leaseRoutes,
  pageTransferRoutes,
  personRoutes,
  settingsRoutes,
  transferRoutes,
  visitRoutes,
} from "./routes.ts";

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

describe("work that reaches beyond the broker", () => {
  const isAdminOnly = ({ access }: Endpoint) =>
    typeof access !== "string" && access.platform === undefined && access.workload !== true;
  const servesFile = ({ answers }: Endpoint) =>
    Object.values(answers).some(({ mediaType }) => mediaType === "application/octet-stream");

  it("is limited by kind at every call that begins it, and what names none is known to begin none", () => {
    const unlimited = endpoints.filter(
      (endpoint) =>
        endpoint.work === undefined &&
        !isAdminOnly(endpoint) &&
        (!endpoint.route.startsWith("GET") || servesFile(endpoint)),
    );
    // Whoever adds a call here has seen that it asks no provider and no address of a user's while it is answered.
    expect(unlimited.map(({ route }) => route).toSorted()).toEqual(
      [
        // One job for each lease, bounded by the provider's own limits; platforms make builds at the rate of requests.
        buildRoutes.create,
        buildRoutes.close,
        buildRoutes.token,
        visitRoutes.endSession,
        visitRoutes.endToken,
        leaseRoutes.revoke,
        transferRoutes.cancel,
        pageTransferRoutes.cancel,
        // By the code or the browser that opens: `limitOpenings` of the broker.
        handoffRoutes.open,
        handoffRoutes.leave,
        personRoutes.allow,
        personRoutes.refuse,
        settingsRoutes.remove,
        settingsRoutes.preview,
        settingsRoutes.finish,
      ].toSorted(),
    );
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
