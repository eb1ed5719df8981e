import { createHash } from "node:crypto";
import type { Deps } from "../deps.ts";
import { openFileSink } from "./file-sink.ts";
import { openUrlSink } from "./url-sink.ts";

/** A place outside the store that gets every signed head. Its calls fail with an Error whose words may be told. */
export type AuditSink = {
  readonly address: string;
  /** Whether what it holds can be read each time, or only as its receiver pleases. */
  readonly readsBack: "always" | "when asked";
  /** The newest lines it holds; empty when it holds none or gives none back. */
  readonly read: (signal: AbortSignal) => Promise<string>;
  /** @param id the same each time that the same head is sent */
  readonly append: (line: string, id: string, signal: AbortSignal) => Promise<void>;
};

export type SinkDeps = Pick<Deps, "config" | "fetch" | "now">;

/** The configured sink; `undefined` when there is none. */
export function openAuditSink(deps: SinkDeps): AuditSink | undefined {
  const { auditSink } = deps.config;
  if (auditSink === undefined) return undefined;
  return /^https?:/i.test(auditSink) ? openUrlSink(deps, auditSink) : openFileSink(auditSink);
}

/** Tells sinks apart without their address, which may be known to few. */
export function sinkId({ address }: AuditSink): string {
  return createHash("sha256").update(address).digest("hex").slice(0, 16);
}

/** Runs a call to a sink that ends in time, whatever the sink does. @throws Error with a reason that may be told */
export async function askSink<T>(
  timeoutMs: number,
  signal: AbortSignal,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = AbortSignal.timeout(timeoutMs);
  const ended = AbortSignal.any([late, signal]);
  const given = Promise.withResolvers<never>();
  const giveUp = () =>
    given.reject(
      new Error(
        late.aborted ? "did not answer in time" : "was not completed, because the broker is stopping",
      ),
    );
  ended.addEventListener("abort", giveUp, { once: true });
  if (ended.aborted) giveUp();
  try {
    return await Promise.race([call(ended), given.promise]);
  } finally {
    ended.removeEventListener("abort", giveUp);
    given.promise.catch(() => undefined);
  }
}

/** Why a call to a sink failed, in words that hold nothing of the sink's. */
export function sinkFailure(error: unknown): string {
  if (!(error instanceof Error)) return "failed";
  if ("code" in error && typeof error.code === "string") return `failed (${error.code})`;
  // What fetch throws tells nothing but that it failed.
  return error instanceof TypeError ? "could not be reached" : error.message;
}
