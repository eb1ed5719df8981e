import { randomBytes } from "node:crypto";
import * as z from "zod";
import { randomText } from "../kit/emulator-state.ts";
import { pageOf, Refused, takeOut } from "../kit/stand-in/stand-in.ts";
import { startStandIn } from "../kit/stand-in/start-stand-in.ts";
import { sentryCalls } from "./client.ts";

const project = z.object({ id: z.string(), publicKey: z.string() });
const organization = z.object({ slug: z.string(), token: z.string(), projects: z.array(project) });
type Organization = z.output<typeof organization>;

const newProject = (id: string) => ({ id, publicKey: randomBytes(16).toString("hex") });
const projectBody = ({ id }: { readonly id: string }) => ({ id: "7", slug: id, name: id, platform: null });
const missing = new Refused(404);
const pick = ({ projects }: Organization, wanted: string | undefined) =>
  projects.find(({ id }) => id === wanted);

/** Sentry's API with the org's organization and one for every user, each with the team `keyloan`. */
export const startEmulator = startStandIn<typeof sentryCalls, Organization>({
  id: "sentry",
  calls: sentryCalls,
  account: organization,
  createAccount: () => ({
    slug: `org-${randomText(8).toLowerCase()}`,
    token: `sntryu_${randomBytes(32).toString("hex")}`,
    projects: [newProject("app")],
  }),
  keysOf: ({ token }) => [token],
  // What is in another organization, or in none, is not there.
  refuse: ({ account: { slug }, params }) =>
    params.organization === slug && (params.team ?? "keyloan") === "keyloan" ? undefined : missing,
  errorBody: (status, { detail = words[status] ?? "Internal Error", param }) =>
    param === undefined ? { detail } : { [param]: ["This field is not valid."] },
  answers: {
    readOrganization: ({ account: { slug } }) => ({ id: "1", slug, name: slug, status: { id: "active" } }),
    readTeam: () => ({ id: "1", slug: "keyloan", name: "keyloan" }),
    listProjects: ({ account: { projects }, query: { cursor } }) => {
      const { data, has_more } = pageOf(projects, 100, cursor);
      return { items: data.map(projectBody), ...(has_more ? { next: data.at(-1)?.id } : {}) };
    },
    createProject: ({ account, body: { slug } }) => {
      const detail = "A project with this slug already exists.";
      if (pick(account, slug) !== undefined) return new Refused(409, { detail });
      account.projects.push(newProject(slug));
      return projectBody({ id: slug });
    },
    readProject: ({ account, params }) => {
      const found = pick(account, params.project);
      return found === undefined ? missing : projectBody(found);
    },
    listKeys: ({ account, params, url: { host } }) => {
      const id = pick(account, params.project)?.publicKey;
      return id === undefined ? missing : [{ id, isActive: true, dsn: { public: `http://${id}@${host}/7` } }];
    },
    deleteProject: ({ account: { projects }, params }) =>
      takeOut(projects, params.project) === undefined ? missing : undefined,
  },
  orgFields: ({ slug, token }) => ({ organization: slug, team: "keyloan", token }),
  userEnv: {
    good: ({ projects }) => ({ SENTRY_DSN: `https://${projects[0]?.publicKey}@o1.ingest.us.sentry.io/7` }),
  },
});

const words: Readonly<Record<number, string>> = {
  401: "Invalid token",
  404: "The requested resource does not exist",
  429: "You are attempting to use this endpoint too frequently.",
};
