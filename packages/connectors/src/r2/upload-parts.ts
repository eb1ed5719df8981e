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
 * ended. No other of the same key is: the store does not tell whose it is. What a crash leaves ends after seven days
 * ("Object lifecycles").
 * @param over the version that may be replaced; absent: none
 * @returns `undefined` when something else is there
 * @throws ProviderError, and what `produce` throws
 */
export async function uploadParts(
  { store, key, told, openForCleaning }: ObjectEnd,
  headers: ObjectHeaders,
  over: string | undefined,
  produce: (send: SendPart) => Promise<void>,
): Promise<Written | undefined> {
  const others = await store.uploads(key).catch(unlessNotOffered);
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
    const written = await store.complete(upload, arrived, over);
    if (written === undefined) await giveUp(openForCleaning, key, uploadId, others);
    return written;
  } catch (error) {
    // A part that is still on its way could arrive after the end of the upload, and stay.
    await sending.catch(() => undefined);
    await giveUp(openForCleaning, key, uploadId, others);
    throw error;
  }
}

/**
 * What cannot be ended now goes after seven days ("Object lifecycles").
 * @param uploadId absent when the store did not answer with one: then ours is what came since the `others`
 */
async function giveUp(
  open: ObjectEnd["openForCleaning"],
  key: string,
  uploadId: string | undefined,
  others: ReadonlySet<string> | undefined,
): Promise<void> {
  const store = await open();
  const newer = async () => [...(await store.uploads(key))].filter((id) => others?.has(id) === false);
  const ours = uploadId === undefined ? await newer().catch(() => []) : [uploadId];
  for (const id of ours) await store.abort({ key, uploadId: id }).catch(() => undefined);
}

/** A store, or a key, that does not list uploads: then nobody knows which came since. */
function unlessNotOffered(error: unknown): undefined {
  if (!(error instanceof ProviderError && [400, 403, 405, 501].includes(error.status ?? 0))) throw error;
}
