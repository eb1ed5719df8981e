import type { ConnectorContext, SecretValues } from "@keyloan/contract";
import { describe, expect, test } from "vitest";
import { type OpenTarget, orgCredential, planLease, slotOf, testContext } from "./harness.ts";
import type { IssuerSuite } from "./issuer-promises.ts";

type ReadBackSuite = IssuerSuite & { readonly use?: (values: SecretValues) => Promise<void> };

type Recorded = {
  readonly shape: string;
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
};

/** That the end of a lease is looked at, rather than believed. */
export function describeReadingBack(suite: ReadBackSuite, open: OpenTarget): void {
  const { connector, options, use } = suite;
  if (suite.revokes === "locally") return;

  describe("a provider that says it has deleted, and has not", () => {
    test("is not believed: the revoke fails and may be tried again, and then ends everything", async () => {
      const target = await open();
      try {
        const context = testContext(target.baseUrl === undefined ? {} : { baseUrl: target.baseUrl });
        const org = await orgCredential(connector, context, target.orgFields);
        const slot = slotOf(connector);
        const issueAndUse = async () => {
          const lease = planLease(connector, options);
          const values = await slot.issue(context, org, lease);
          await use?.(values);
          return lease;
        };
        const [first, second] = [await issueAndUse(), await issueAndUse()];
        const recorded: Recorded[] = [];
        await slot.revoke(recording(context, recorded), org, first);
        expect(recorded.length).toBeGreaterThan(0);

        const names = new Map([
          [first.leaseId, second.leaseId],
          [first.buildId, second.buildId],
          ...Object.entries(first.handle).map(([part, name]) => [name, second.handle[part] ?? ""] as const),
        ]);
        const lied = slot.revoke(lying(context, recorded, names), org, second);
        await expect(lied).rejects.toMatchObject({ name: "ProviderError", retryable: true });

        const after: Recorded[] = [];
        await slot.revoke(recording(context, after), org, second);
        expect(after.length).toBeGreaterThan(0);
      } finally {
        await target.close();
      }
    });
  });
}

const changes = (request: Request) => request.method !== "GET" && request.method !== "HEAD";

/** What kind of call it is: its method and the form of its path, in which names differ. */
function shapeOf({ method, url }: Request): string {
  const { pathname, searchParams } = new URL(url);
  const last =
    pathname
      .split("/")
      .filter((part) => /^[a-z_-]+$/.test(part))
      .at(-1) ?? "";
  return `${method} ${pathname.split("/").length} ${last} ${[...searchParams.keys()].sort().join()}`;
}

/** Carries every call out and keeps the answers to those that change something. */
function recording(context: ConnectorContext, recorded: Recorded[]): ConnectorContext {
  return {
    ...context,
    fetch: async (input, init) => {
      const request = new Request(input, init);
      const shape = shapeOf(request);
      const isChange = changes(request);
      const response = await context.fetch(request);
      if (!isChange) return response;
      const body = await response.text();
      recorded.push({ shape, status: response.status, headers: response.headers, body });
      return answerOf(response.status, response.headers, body);
    },
  };
}

/** Carries out only what looks; whatever would change something is answered as it was before, and not done. */
function lying(
  context: ConnectorContext,
  recorded: readonly Recorded[],
  names: ReadonlyMap<string, string>,
): ConnectorContext {
  return {
    ...context,
    fetch: async (input, init) => {
      const request = new Request(input, init);
      if (!changes(request)) return context.fetch(request);
      const known = recorded.find(({ shape }) => shape === shapeOf(request));
      if (known === undefined) throw new Error(`nothing is known of ${shapeOf(request)}`);
      let { body } = known;
      for (const [before, now] of names) body = body.replaceAll(before, now);
      return answerOf(known.status, known.headers, body);
    },
  };
}

function answerOf(status: number, from: Headers, body: string): Response {
  const headers = new Headers(from);
  for (const name of ["content-length", "content-encoding", "transfer-encoding"]) headers.delete(name);
  return new Response(status === 204 ? null : body, { status, headers });
}
