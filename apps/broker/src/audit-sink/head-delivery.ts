import type { AuditHeadRow } from "@keyloan/store";
import { type AuditState, changeAuditState, readAuditState } from "../audit-state.ts";
import type { Deps } from "../deps.ts";
import { describeError } from "../observe/logger.ts";
import { isDegraded } from "../verbs/audit/audit-standing.ts";
import { judgeHead, readStoredHead } from "../verbs/audit/judge-head.ts";
import { headView } from "../verbs/audit/sign-head.ts";
import { type AuditSink, askSink, openAuditSink, sinkFailure, sinkId } from "./audit-sink.ts";
import { readTail } from "./file-sink.ts";
import { type KeptHeads, readKeptHeads } from "./head-lines.ts";
import { createSinkTrouble } from "./sink-trouble.ts";

export type SinkState = { readonly failure?: string; readonly undelivered: number };

/** Hands signed heads to the sink, in order, and reads what is kept outside. Requests never wait for it. */
export type HeadDelivery = {
  /** Delivers what was not delivered yet, when the sink is not being asked already. */
  readonly poke: () => void;
  /** Resolves when nothing is under way; what takes longer is left, and delivered by the next start. */
  readonly stop: (limitMs: number) => Promise<void>;
  /** Reads the head file and, if it answers in time, the sink. @throws Error with a sentence about the file */
  readonly readOutside: (limitMs: number) => Promise<void>;
  /** What the sink holds now; a failure is a value. */
  readonly readSink: () => Promise<
    KeptHeads | { readonly kind: "failed"; readonly failure: string } | undefined
  >;
  /** `undefined` without a sink. */
  readonly state: () => Promise<SinkState | undefined>;
};

type DeliveryDeps = Omit<Deps, "headDelivery">;

const timeoutMsDefault = 10_000;
const headsAtOnceMax = 100;
const attemptsMax = 10;
/** What was told to end has so long for what it does anyway. */
const endMs = 1_000;

export function createHeadDelivery(deps: DeliveryDeps, timeoutMs = timeoutMsDefault): HeadDelivery {
  const sink = openAuditSink(deps);
  const stopping = new AbortController();
  const trouble = createSinkTrouble(deps);
  let running: Promise<void> | undefined;
  let isPoked = false;
  let wasRead = false;

  const read = async (from: AuditSink, limitMs: number): Promise<KeptHeads> => {
    const text = await askSink(limitMs, stopping.signal, from.read);
    const kept = await readKeptHeads(await deps.signer.readKeys(), text);
    wasRead = true;
    if (kept.kind !== "none") deps.outsideHeads.note({ by: "sink", signed: kept.signed });
    return kept;
  };
  const readBefore = async (from: AuditSink): Promise<KeptHeads | undefined> => {
    if (from.readsBack === "always") return read(from, timeoutMs);
    // A receiver has to give nothing back: it gets its heads all the same, and is asked again next time.
    return wasRead ? undefined : read(from, timeoutMs).catch(() => undefined);
  };
  const deliver = async (to: AuditSink): Promise<void> => {
    const kept = await readBefore(to);
    if (kept?.kind === "none" && !kept.isEmpty)
      deps.logger.warn(
        {},
        "the audit sink does not end with a signed head; the broker continues with the newest",
      );
    // A second history must not stand behind the first.
    if (await isDegraded(deps)) return;
    const keys = await deps.signer.readKeys();
    const heads = await undelivered(deps, to, kept);
    let delivered = 0;
    for (const head of heads) {
      if (stopping.signal.aborted) return;
      // Who writes to the store must not write to the sink: verify tells of what is passed over here.
      if ((await readStoredHead(keys, head)) === undefined) continue;
      const line = JSON.stringify(headView(head));
      const id = `${deps.organizationId}.${head.sequence}`;
      await askSink(timeoutMs, stopping.signal, (signal) => to.append(line, id, signal));
      deps.outsideHeads.note({ by: "sink", signed: head.signed });
      await noteDelivered(deps, { sink: sinkId(to), sequence: head.sequence });
      delivered += 1;
      isPoked ||= head.sequence !== (await deps.store.read.auditHeads.findLatest())?.sequence;
    }
    if (delivered === 0 && heads.length > 0)
      throw new Error("the store holds heads in between that this broker did not sign");
  };
  const run = async (to: AuditSink): Promise<void> => {
    while (isPoked && !stopping.signal.aborted) {
      isPoked = false;
      try {
        await deliver(to);
        trouble.end();
      } catch (error) {
        isPoked = false;
        await trouble.note(sinkFailure(error));
      }
    }
  };
  const start = (to: AuditSink): void => {
    running ??= run(to)
      // What could not even be told is tried again by the next poke.
      .catch((error: unknown) =>
        deps.logger.error(describeError(error), "the audit sink could not be served"),
      )
      .finally(() => {
        running = undefined;
        if (isPoked && !stopping.signal.aborted) start(to);
      });
  };
  return {
    poke: () => {
      if (sink === undefined) return;
      isPoked = true;
      start(sink);
    },
    stop: async (limitMs) => {
      await endsWithin(limitMs, running);
      stopping.abort();
      await endsWithin(endMs, running);
    },
    readOutside: async (limitMs) => {
      await readHeadFile(deps);
      if (sink !== undefined) await read(sink, limitMs).catch((error) => trouble.note(sinkFailure(error)));
    },
    readSink: async () => {
      if (sink === undefined) return undefined;
      return read(sink, timeoutMs).catch((error: unknown) => ({
        kind: "failed" as const,
        failure: sinkFailure(error),
      }));
    },
    state: async () => {
      if (sink === undefined) return undefined;
      const after = deliveredTo(sink, (await readAuditState(deps))?.state);
      const undelivered =
        after === undefined
          ? (await newestHead(deps)).length
          : await deps.store.read.auditHeads.countAfter(after);
      const failure = trouble.failure();
      return { undelivered, ...(failure === undefined ? {} : { failure }) };
    },
  };
}

async function endsWithin(limitMs: number, running: Promise<void> | undefined): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, limitMs);
  });
  await Promise.race([running, late]);
  clearTimeout(timer);
}

/** What the sink has not got. One that never got any, or was emptied, begins with the newest: it proves all before. */
async function undelivered(
  deps: DeliveryDeps,
  sink: AuditSink,
  kept: KeptHeads | undefined,
): Promise<readonly AuditHeadRow[]> {
  const state = (await readAuditState(deps))?.state;
  const told = deliveredTo(sink, state);
  if (kept?.kind === "head") {
    const outside = { by: "sink", signed: kept.signed } as const;
    const { kind } = await judgeHead(deps, await deps.signer.readKeys(), state, outside);
    // One that was given up says nothing of what came after.
    if (kind === "anchor") return headsAfter(deps, Math.min(kept.sequence, told ?? kept.sequence));
  }
  const missed = told === undefined ? [] : await headsAfter(deps, told);
  const isEmpty = kept?.kind === "none" && sink.readsBack === "always";
  return missed.length === 0 && (told === undefined || isEmpty) ? newestHead(deps) : missed;
}

const deliveredTo = (sink: AuditSink, state: AuditState | undefined) =>
  state?.delivered?.sink === sinkId(sink) ? state.delivered.sequence : undefined;

async function newestHead({ store }: Pick<Deps, "store">) {
  const newest = await store.read.auditHeads.findLatest();
  return newest === undefined ? [] : [newest];
}

const headsAfter = ({ store }: Pick<Deps, "store">, sequence: number) =>
  store.read.auditHeads.listBetween(sequence, Number.MAX_SAFE_INTEGER, headsAtOnceMax);

async function noteDelivered(deps: DeliveryDeps, delivered: AuditState["delivered"] & {}): Promise<void> {
  // Each attempt that fails is a head that another broker signed meanwhile.
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const read = await readAuditState(deps);
    if (read === undefined) return;
    if (await changeAuditState(deps, read.text, { ...read.state, delivered })) return;
  }
  throw new Error("the record of what was delivered could not be written: other brokers were always first");
}

async function readHeadFile(deps: DeliveryDeps): Promise<void> {
  const path = deps.config.auditHeadFile;
  if (path === undefined) return;
  const text = await readTail(path).catch(() => undefined);
  if (text === undefined) throw new Error(`the head file cannot be read: ${path}`);
  const kept = await readKeptHeads(await deps.signer.readKeys(), text);
  if (kept.kind === "none") throw new Error(`the head file contains no signed head: ${path}`);
  deps.outsideHeads.note({ by: "head_file", signed: kept.signed });
}
