import type { DatabaseList } from "@keyloan/contract";
import { pathSegment } from "./address.ts";
import { bodyOf } from "./answer.ts";
import type { Caller } from "./call.ts";

// The broker reads the whole database before it sends the first byte.
const readTimeMs = 40 * 60_000;

export type DatabasesApi = {
  /** The databases of a build, since when nothing has used them, and their archives. */
  readonly list: (buildId: string) => Promise<DatabaseList>;
  /** Begins to put a database away: it is ended when its archive is proven. */
  readonly archive: (buildId: string, connector: string) => Promise<DatabaseList>;
  /** Begins to bring an archived database back, as a new one with a new token. */
  readonly restore: (buildId: string, connector: string) => Promise<DatabaseList>;
  /**
   * Gives a database as a file that its own tools open, piece by piece as it arrives.
   * @param take is waited for before more is read
   */
  readonly download: (
    buildId: string,
    connector: string,
    take: (piece: Uint8Array) => void | Promise<void>,
    options?: { readonly signal?: AbortSignal | undefined },
  ) => Promise<void>;
};

/** The calls on databases of builds. Every one of them may throw KeyloanError. */
export function databasesApi({ base, call }: Caller): DatabasesApi {
  const path = (buildId: string) => `/v1/builds/${pathSegment(buildId, "the build id")}/databases`;
  const of = (buildId: string, connector: string, action: string) =>
    `${path(buildId)}/${pathSegment(connector, "the connector")}/${action}`;
  const listOf = async (answer: ReturnType<typeof call>) =>
    bodyOf<DatabaseList>(base, await answer, ["databases"]);
  const post = (buildId: string, connector: string, action: string) =>
    listOf(call({ method: "POST", path: of(buildId, connector, action), expect: "json" }));
  return {
    list: (buildId) => listOf(call({ method: "GET", path: path(buildId), expect: "json" })),
    archive: (buildId, connector) => post(buildId, connector, "archive"),
    restore: (buildId, connector) => post(buildId, connector, "restore"),
    download: async (buildId, connector, take, { signal } = {}) => {
      const request = { method: "GET", path: of(buildId, connector, "download"), expect: "nothing" } as const;
      await call({ ...request, take, signal, extraTimeMs: readTimeMs });
    },
  };
}
