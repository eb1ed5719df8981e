import type { Store } from "@keyloan/store";
import { Gauge, type Registry } from "prom-client";

/** Numbers that are counted in the store when somebody asks, so that every broker on it tells the same. */
export function addStoreGauges(registers: Registry[], store: Pick<Store, "read">, now: () => number): void {
  new Gauge({
    name: "keyloan_builds",
    help: "Builds by state",
    labelNames: ["state"],
    registers,
    async collect() {
      this.reset();
      for (const { state, count } of await store.read.builds.countByState()) this.set({ state }, count);
    },
  });
  new Gauge({
    name: "keyloan_leases",
    help: "Leases by connector and state",
    labelNames: ["connector", "state"],
    registers,
    async collect() {
      this.reset();
      for (const row of await store.read.leases.countByState()) {
        this.set({ connector: row.connectorId, state: row.state }, row.count);
      }
    },
  });
  new Gauge({
    name: "keyloan_jobs",
    help: "Jobs by kind and state",
    labelNames: ["kind", "state"],
    registers,
    async collect() {
      this.reset();
      for (const { kind, state, count } of await store.read.jobs.countByState())
        this.set({ kind, state }, count);
    },
  });
  const handsGauge = (name: string, help: string, counts: (dueAt: number) => boolean) =>
    new Gauge({
      name,
      help,
      labelNames: ["kind", "connector"],
      registers,
      async collect() {
        this.reset();
        for (const { kind, connectorId, requiredAction } of await store.read.jobs.requiredActions()) {
          if (requiredAction !== null && counts(requiredAction.dueAt))
            this.inc({ kind, connector: connectorId ?? "" });
        }
      },
    });
  handsGauge("keyloan_jobs_requiring_action", "Jobs that require manual action", () => true);
  handsGauge(
    "keyloan_jobs_overdue",
    "Jobs that require manual action and are overdue",
    (dueAt) => dueAt <= now(),
  );
}
