import { BrokerError, type StorageContent, type StoredObject } from "@keyloan/contract";
import type { TransferEnd } from "./transfer-failure.ts";

// The names of all files are in memory while the files are proven and sorted.
const objectsMax = 200_000;
const nameMebibytesMax = 32;

/**
 * Lists all objects, as long as their names may be kept in memory.
 * @throws BrokerError `not_supported` if there are too many
 */
export async function* listBounded(storage: StorageContent, end: TransferEnd): AsyncIterable<StoredObject> {
  let [objects, nameBytes] = [0, 0];
  for await (const object of storage.list(end.context, end.values)) {
    objects += 1;
    nameBytes += Buffer.byteLength(object.key);
    if (objects > objectsMax || nameBytes > nameMebibytesMax * 1024 * 1024) throw tooMany();
    yield object;
  }
}

function tooMany(): BrokerError {
  const most = `${objectsMax.toLocaleString("en")} files, or ${nameMebibytesMax} MiB of their names`;
  return new BrokerError(
    "not_supported",
    `there are more than ${most}, which is the most that can be moved`,
    {
      remedy:
        "Delete files that your app does not need, then move again; or ask the people who sent you the link to copy the files, and switch without moving them.",
    },
  );
}
