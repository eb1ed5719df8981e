import type { Store } from "@keyloan/store";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { addStoreGauges } from "./store-gauges.ts";

export type Metrics = {
  readonly requests: Histogram<"method" | "route" | "status">;
  readonly providerCalls: Histogram<"connector" | "operation" | "outcome">;
  readonly auditFailures: Counter;
  /** Answers of builds' envs that held values of their users' own. */
  readonly userValueReads: Counter;
  /** Builds for which everything lent has ended because their users have own keys. */
  readonly lendingsEnded: Counter;
  readonly auditSinkFailures: Counter;
  /** What the newest comparison of this process with a provider's list found. */
  readonly reconcileFindings: Gauge<"connector" | "kind">;
  readonly reconcileEnded: Counter<"connector">;
  /** A number that is asked for when somebody reads the measures; left out when it cannot be read. */
  readonly addGauge: (name: string, help: string, read: () => Promise<number>) => void;
  /** The Prometheus text format. */
  readonly render: () => Promise<string>;
  readonly contentType: string;
};

export function createMetrics(store: Pick<Store, "read">, now: () => number): Metrics {
  const registry = new Registry();
  const registers = [registry];
  addStoreGauges(registers, store, now);
  new Gauge({
    name: "process_resident_memory_bytes",
    help: "Resident memory size in bytes",
    registers,
    collect() {
      this.set(process.memoryUsage.rss());
    },
  });
  return {
    requests: new Histogram({
      name: "keyloan_http_request_seconds",
      help: "Time to answer a request",
      labelNames: ["method", "route", "status"],
      buckets: [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10, 30],
      registers,
    }),
    providerCalls: new Histogram({
      name: "keyloan_provider_seconds",
      help: "Time a connector took",
      labelNames: ["connector", "operation", "outcome"],
      buckets: [0.005, 0.025, 0.1, 0.5, 2.5, 10, 30, 60],
      registers,
    }),
    auditFailures: new Counter({
      name: "keyloan_audit_failures_total",
      help: "Requests refused because their audit row could not be written",
      registers,
    }),
    auditSinkFailures: new Counter({
      name: "keyloan_audit_sink_failures_total",
      help: "Times that the audit sink could not be read or did not accept a head",
      registers,
    }),
    userValueReads: new Counter({
      name: "keyloan_user_value_reads_total",
      help: "Answers of a build's env that contained its user's own values",
      registers,
    }),
    lendingsEnded: new Counter({
      name: "keyloan_lendings_ended_total",
      help: "Builds for which everything lent has ended because their users have their own keys",
      registers,
    }),
    reconcileFindings: new Gauge({
      name: "keyloan_reconcile_findings",
      help: "What the newest comparison with a provider's list found",
      labelNames: ["connector", "kind"],
      registers,
    }),
    reconcileEnded: new Counter({
      name: "keyloan_reconcile_ended_total",
      help: "Resources that were left over at a provider and have been ended",
      labelNames: ["connector"],
      registers,
    }),
    addGauge: (name, help, read) => {
      new Gauge({
        name,
        help,
        registers,
        async collect() {
          const value = await read().catch(() => undefined);
          if (value === undefined) this.reset();
          else this.set(value);
        },
      });
    },
    render: () => registry.metrics(),
    contentType: registry.contentType,
  };
}
