import {
  cancelJobBodySchema,
  cancelledJobSchema,
  type JobView,
  jobListSchema,
  jobSchema,
  supplyValuesBodySchema,
} from "@keyloan/contract";
import { FakeError, type SeenRequest } from "./fake-broker.ts";
import { sampleBuildId } from "./samples.ts";

export const issueJobId = "job_3k9v0a5m2c7d8e4f6g1h";
export const releaseJobId = "job_3k9v0a5m2c7d8e4f6g1j";
export const resourceName = "kl-5m2c7d8e4f6g1h3k9v0a";

/** What the fake knows of jobs. */
export type FakeJobs = {
  readonly jobs: Map<string, JobView>;
  /** The provider cannot be asked about values. */
  unreachable: boolean;
};

type Answer = { readonly body: unknown };

/** Two jobs that require action: one that could not issue, one that could not release. */
export function createFakeJobs() {
  const jobs = [
    sampleJob(issueJobId, "issue", ["TURSO_DATABASE_URL", "TURSO_AUTH_TOKEN"]),
    sampleJob(releaseJobId, "release"),
  ];
  const state: FakeJobs = { jobs: new Map(jobs.map((job) => [job.id, job])), unreachable: false };
  const find = (id: string) => {
    const job = state.jobs.get(id);
    if (job === undefined) throw new FakeError("not_found", "there is no such job", "List the jobs.");
    return job;
  };
  const end = (id: string, jobState: JobView["state"]) => {
    const { requiredAction: _hands, ...job } = find(id);
    const ended = jobSchema.parse({ ...job, state: jobState, attempts: jobState === "waiting" ? 0 : 8 });
    state.jobs.set(id, ended);
    return ended;
  };
  return {
    state,
    list: ({ query }: SeenRequest): Answer => ({ body: pageOf([...state.jobs.values()], query) }),
    show: (_request: SeenRequest, id: string): Answer => ({ body: jobSchema.parse(find(id)) }),
    retry: (_request: SeenRequest, id: string): Answer => {
      if (find(id).state === "waiting")
        throw new FakeError("conflict", "the job waits already", "It is run by itself.");
      return { body: end(id, "waiting") };
    },
    cancel: ({ body }: SeenRequest, id: string): Answer => {
      const { confirm } = cancelJobBodySchema.parse(JSON.parse(body));
      if (find(id).kind === "release" && confirm !== resourceName) {
        throw new FakeError("conflict", "it may still be there", `Confirm it by its name: ${resourceName}.`);
      }
      const lacks = { connector: "turso", variables: ["TURSO_DATABASE_URL"] };
      const more = find(id).kind === "release" ? { verified: false } : { lacks };
      return { body: cancelledJobSchema.parse({ job: end(id, "cancelled"), ...more }) };
    },
    supply: ({ body }: SeenRequest, id: string): Answer => {
      const { values, force } = supplyValuesBodySchema.parse(JSON.parse(body));
      if (Object.keys(values).length < 2)
        throw new FakeError("key_rejected", "TURSO_AUTH_TOKEN is missing", "Copy it whole.");
      if (state.unreachable && !force)
        throw new FakeError("provider_failed", "they could not be checked", "Send them with force.");
      return { body: end(id, "done") };
    },
  };
}

function pageOf(all: readonly JobView[], query: URLSearchParams) {
  const matches = (job: JobView) =>
    [
      ["state", job.state],
      ["kind", job.kind],
      ["buildId", job.build],
      ["connector", job.connector],
    ].every(([name = "", value]) => (query.get(name) ?? value) === value);
  const found = all.filter(matches);
  const start = Number(query.get("cursor") ?? 0);
  const end = start + Number(query.get("limit") ?? 50);
  return jobListSchema.parse({
    jobs: found.slice(start, end),
    ...(end < found.length ? { nextCursor: String(end) } : {}),
  });
}

function sampleJob(id: string, kind: string, variables?: readonly string[]): JobView {
  return {
    id,
    kind,
    state: "requires_action",
    entity: "lse_3k9v0a5m2c7d8e4f6g1h",
    build: sampleBuildId,
    connector: "turso",
    attempts: 8,
    running: false,
    createdAt: "2026-11-20T12:00:00.000Z",
    requiredAction: {
      since: "2026-11-20T12:00:00.000Z",
      dueAt: "2026-11-21T12:00:00.000Z",
      hoursLeft: 12,
      overdue: false,
      steps: [
        { text: "What happened: turso answered 503. The provider is down." },
        { text: "Make the keys by hand.", url: "https://example.com/keys" },
      ],
      ...(variables === undefined ? {} : { variables }),
    },
    lastError: { code: "unavailable" },
  };
}
