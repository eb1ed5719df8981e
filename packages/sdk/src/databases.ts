import type { DatabaseList } from "@keyloan/contract";
import { databaseRoutes } from "@keyloan/contract/calls";
import { ask, type Caller, send } from "./call.ts";

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
export function databasesApi(caller: Caller): DatabasesApi {
  return {
    list: (id) => ask(caller, databaseRoutes.list, { params: { id } }),
    archive: (id, connector) => ask(caller, databaseRoutes.archive, { params: { id, connector } }),
    restore: (id, connector) => ask(caller, databaseRoutes.restore, { params: { id, connector } }),
    download: async (id, connector, take, { signal } = {}) => {
      const rules = { take, signal };
      await send(caller, databaseRoutes.download, { params: { id, connector } }, "nothing", rules);
    },
  };
}
