import { type ArchiveMedium, archiveAltered } from "@keyloan/database-provisioner";
import type { ArchiveRow } from "@keyloan/store";
import { openStream, sealStream, VaultError } from "@keyloan/vault";
import type { Deps } from "../../deps.ts";
import { sealingContexts } from "../../sealing/contexts.ts";
import { withDataKey } from "../../sealing/data-key.ts";

/**
 * Where an archive is kept, sealed under its build's data key and bound to the build and to its own id: the file
 * of another build or another archive does not open.
 */
export function archiveMedium(
  deps: Deps,
  archive: Pick<ArchiveRow, "id" | "buildId" | "location">,
  signal: AbortSignal,
): ArchiveMedium {
  const { id: field, buildId, location } = archive;
  const context = sealingContexts.archive(buildId, field);
  return {
    seal: async function* (plain) {
      yield* await withDataKey(deps, buildId, (key) => sealStream(key, context, plain));
    },
    open: async function* (sealed) {
      try {
        yield* await withDataKey(deps, buildId, (key) => openStream(key, context, sealed));
      } catch (error) {
        throw error instanceof VaultError ? archiveAltered(error) : error;
      }
    },
    put: (sealed) => deps.archives.put(location, sealed, signal),
    get: () => deps.archives.get(location, signal),
  };
}
