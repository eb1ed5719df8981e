import { createHash } from "node:crypto";
import type { WrittenObjects } from "@keyloan/database-provisioner";
import type { TransferRow } from "@keyloan/store";
import { bySystem } from "../../change.ts";
import type { Deps } from "../../deps.ts";

/**
 * What we wrote to where the user's keys lead. It is kept by the keys and not by the transfer, so that a later one goes
 * on with it; the switch to them forgets all of it, for from then on what is there is the app's and the user's.
 */
export function writtenFor(
  { store, change }: Pick<Deps, "store" | "change">,
  { id, buildId, userKeyId }: Pick<TransferRow, "id" | "buildId" | "userKeyId">,
): WrittenObjects {
  return {
    recall: async (key) => (await store.read.writtenObjects.find(userKeyId, nameHash(key)))?.sha256,
    keep: async (key, sha256) => {
      await change(bySystem("transfers"), [buildId], async (tx) => {
        // Whoever was taken for dead makes nothing ours that was given to the user meanwhile.
        if ((await tx.transfers.find(id))?.state !== "copying") return;
        await tx.writtenObjects.keep({ userKeyId, nameHash: nameHash(key), buildId, sha256 });
      });
    },
  };
}

const nameHash = (key: string) => createHash("sha256").update(key).digest("hex");
