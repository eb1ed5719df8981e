import { userAgent } from "@keyloan/contract";
import type { Deps } from "../deps.ts";
import { noticeHeaders } from "../notify/sign-notice.ts";
import type { AuditSink } from "./audit-sink.ts";

const answerBytesMax = 16 * 1024;

/**
 * A receiver that gets each head by POST, signed as notices are. One that answers GET with the newest head it got
 * proves the store at the next start; of any other nothing can be read back.
 */
export function openUrlSink(deps: Pick<Deps, "fetch" | "now" | "config">, url: string): AuditSink {
  return {
    address: url,
    readsBack: "when asked",
    read: async (signal) => {
      const headers = { accept: "application/jose, application/json, text/plain", "user-agent": userAgent };
      const response = await deps.fetch(url, { headers, redirect: "manual", signal });
      if (response.status === 200) return readStart(response);
      await response.body?.cancel();
      // No receiver has to give anything back; one that is down has not said so.
      if (response.status < 500) return "";
      throw new Error(`answered ${response.status}`);
    },
    append: async (line, id, signal) => {
      const response = await deps.fetch(url, {
        method: "POST",
        body: line,
        headers: {
          "content-type": "application/json",
          "user-agent": userAgent,
          ...noticeHeaders(id, deps.now(), line, deps.config.notifySecret),
        },
        redirect: "manual",
        signal,
      });
      await response.body?.cancel();
      if (!response.ok) throw new Error(`answered ${response.status}`);
    },
  };
}

/** The beginning of an answer; the rest is not read. */
async function readStart(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  if (reader === undefined) return "";
  const pieces: Uint8Array[] = [];
  let size = 0;
  try {
    while (size < answerBytesMax) {
      const { done, value } = await reader.read();
      if (done) break;
      pieces.push(value);
      size += value.length;
    }
  } finally {
    await reader.cancel();
  }
  return Buffer.concat(pieces).subarray(0, answerBytesMax).toString("utf8");
}
