import { createHash } from "node:crypto";
import { ProviderError } from "@keyloan/contract";
import type { ObjectHeaders } from "./object-facts.ts";
import type { UploadedPart, Written } from "./storage-client.ts";
import type { ObjectEnd } from "./storage-end.ts";
import { wrongBytes } from "./storage-errors.ts";

/** Sends the next part; resolves when the one before has arrived, whose bytes may then be overwritten. */
export type SendPart = (bytes: Buffer, onArrived: () => void) => Promise<void>;

/**
 * Writes an object in parts, each with its checksum. Nobody sees it before it is whole, and an upload that fails is
 * ended, as are those of the same key that a crash has left.
 * @throws ProviderError, and what `produce` throws
 */
export async function uploadParts(
  { store, key, told, openForCleaning }: ObjectEnd,
  headers: ObjectHeaders,
  produce: (send: SendPart) => Promise<void>,
): Promise<Written> {
  await store.abandon(key).catch(unlessNotOffered);
  const arrived: UploadedPart[] = [];
  let sending: Promise<void> = Promise.resolve();
  let uploadId: string | undefined;
  try {
    uploadId = await store.begin(key, headers);
    const upload = { key, uploadId };
    await produce(async (bytes, onArrived) => {
      await sending;
      const sha256 = createHash("sha256").update(bytes).digest("base64");
      sending = store.putPart(upload, arrived.length + 1, bytes, sha256).then((part) => {
        if (part.sha256 !== undefined && part.sha256 !== sha256) throw told(wrongBytes());
        arrived.push(part);
        onArrived();
      });
      // Seen when the next part is sent, or at the end; until then it must not end the process.
      sending.catch(() => undefined);
    });
    await sending;
    return await store.complete(upload, arrived);
  } catch (error) {
    // A part that is still on its way could arrive after the end of the upload, and stay.
    await sending.catch(() => undefined);
    await giveUp(openForCleaning, key, uploadId);
    throw error;
  }
}

/** What cannot be ended now goes with the next copy of the key, or after seven days ("Object lifecycles"). */
async function giveUp(
  open: ObjectEnd["openForCleaning"],
  key: string,
  uploadId: string | undefined,
): Promise<void> {
  const store = await open();
  const ended = uploadId === undefined ? store.abandon(key) : store.abort({ key, uploadId });
  await ended.catch(() => undefined);
}

/** A store, or a key, that does not list uploads: then there is nothing to put in order. */
function unlessNotOffered(error: unknown): void {
  if (!(error instanceof ProviderError && [400, 403, 405, 501].includes(error.status ?? 0))) throw error;
}
