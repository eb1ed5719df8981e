import { createStorage } from "@keyloan/s3-objects";
import { BlockedAddress } from "../kit/transport-error.ts";
import { openBucket } from "./client.ts";
import { valuesAccess } from "./endpoint.ts";

/** For one piece, or one part, and never for a whole object. */
const requestTimeoutMs = 60_000;

/** The objects of a build or of a user. */
export const r2Storage = createStorage({
  open: async (context, values) => {
    const { prefix, ...access } = valuesAccess(values);
    return { store: await openBucket(context, access, { timeoutMs: requestTimeoutMs }), prefix };
  },
  isFinal: (error) => error instanceof BlockedAddress,
  remedies: {
    forbidden:
      "Its keys lack a permission for this: give them Object Read & Write on the bucket, then start again.",
  },
});
