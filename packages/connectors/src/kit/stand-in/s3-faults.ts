import { setTimeout as delay } from "node:timers/promises";
import type { S3Interception } from "@keyloan/local-servers";
import type { Fault, FaultQueue } from "../emulator.ts";

/** The function that an S3 gateway calls before each request to get the next fault for it. */
export function interceptWith(
  faults: FaultQueue,
): (method: string, path: string) => Promise<S3Interception | undefined> {
  return async (method, path) => {
    const fault = faults.take(method, path);
    switch (fault?.kind) {
      case undefined:
        return undefined;
      case "delay":
        await delay(fault.ms, undefined, { ref: false });
        return undefined;
      case "status":
        return { when: "before", answer: errorAnswer(fault) };
      case "cut":
        return { when: "before", answer: "cut" };
      case "cut_after":
        return { when: "after", answer: "cut" };
      case "status_after":
        return { when: "after", answer: errorAnswer(fault) };
    }
  };
}

/** The code that goes with a status ("R2 error codes"). */
const codes: Readonly<Record<number, string>> = {
  401: "Unauthorized",
  403: "AccessDenied",
  404: "NoSuchKey",
  409: "BucketConflict",
  412: "PreconditionFailed",
  429: "TooManyRequests",
  500: "InternalError",
  503: "ServiceUnavailable",
};

function errorAnswer(fault: Extract<Fault, { status: number }>) {
  const { status } = fault;
  const code = codes[status] ?? "InvalidRequest";
  const given = fault.kind === "status" ? fault : undefined;
  return {
    status,
    headers: { "content-type": "application/xml", ...given?.headers },
    body: given?.body ?? `<Error><Code>${code}</Code><Message>injected</Message></Error>`,
  };
}
