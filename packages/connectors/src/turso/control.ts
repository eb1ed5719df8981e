import { type DatabaseControl, ProviderError } from "@keyloan/contract";
import { openTursoApi } from "./client.ts";
import { databaseNames } from "./database-name.ts";

/** Blocking writes and counting use, by the Platform API alone: no SQL is run, so nothing is counted or woken. */
export const tursoControl: DatabaseControl = {
  setWritable: async (context, org, lease, writable) => {
    const api = openTursoApi(context, org.fields);
    const name = databaseNames.of(lease.handle);
    await api.blockWrites(name, !writable);
    if ((await api.areWritesBlocked(name)) !== writable) return;
    const what = writable ? "unblocks writes" : "blocks writes";
    throw new ProviderError("turso", "unavailable", `reports that it ${what}, but does not`);
  },

  usage: async (context, org, lease, since) => ({
    rows: await openTursoApi(context, org.fields).countRows(
      databaseNames.of(lease.handle),
      since,
      context.now(),
    ),
  }),
};
