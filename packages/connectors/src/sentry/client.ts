import type { ConnectorContext } from "@keyloan/contract";
import * as z from "zod";
import { callsThrough } from "../kit/calls/define-calls.ts";
import { everyItem } from "../kit/calls/every-item.ts";
import { openCalls } from "../kit/calls/open-calls.ts";
import { listOf } from "../kit/list-schema.ts";

export const dsnPattern = "^https?:\\/\\/[a-f0-9]{32}@[A-Za-z0-9.\\-]{1,253}(?::\\d{1,5})?\\/\\d{1,20}$";
const named = z.object({ slug: z.string().min(1).max(200) });
const key = z.object({
  isActive: z.boolean(),
  dsn: z.object({ public: z.string().regex(new RegExp(dsnPattern)) }),
});

const organization = "/api/0/organizations/{organization}/";
const team = "/api/0/teams/{organization}/{team}/";
const project = "/api/0/projects/{organization}/{project}/";
const { get, post, del } = callsThrough();
export const sentryCalls = {
  readOrganization: get(organization, { doc: "Retrieve an Organization", answer: named }),
  readTeam: get(team, { doc: "Retrieve a Team", answer: named }),
  listProjects: get(`${organization}projects/`, {
    doc: "List an Organization's Projects",
    query: z.object({ cursor: z.string().optional() }),
    answer: z.object({ items: listOf(named), next: z.string().optional() }),
    paged: "link",
  }),
  createProject: post(`${team}projects/`, {
    doc: "Create a New Project",
    body: z.strictObject({ name: z.string().min(1).max(50), slug: z.string().regex(/^[a-z0-9_-]{1,100}$/) }),
    answer: named,
    status: 201,
  }),
  readProject: get(project, { doc: "Retrieve a Project", answer: named }),
  listKeys: get(`${project}keys/`, { doc: "List a Project's Client Keys", answer: listOf(key) }),
  deleteProject: del(project, { doc: "Delete a Project", answer: z.unknown(), status: 204 }),
};

/** The API of the region that the organization lives in. */
export function openSentry(context: ConnectorContext, token: string, region: string | undefined) {
  const baseUrl = `https://${region === undefined ? "" : `${region}.`}sentry.io`;
  return openCalls({ provider: "sentry", baseUrl }, sentryCalls, context, token);
}

/** The slugs of the organization's projects, to the last page. */
export const everyProject = (asked: ReturnType<typeof openSentry>, organization: string) =>
  everyItem("sentry", (cursor) => asked.listProjects({ params: { organization }, query: { cursor } }));
