import { type ConnectorContext, ProviderError, type SecretValues, secretValues } from "@keyloan/contract";
import { defineConnector, requireField } from "../kit/define-connector.ts";
import { namedIssuer, unlessGone } from "../kit/named-resource.ts";
import { checkValues, invalid, refusalsOf, works } from "../kit/validation-results.ts";
import { everyProject, openSentry } from "./client.ts";
import { sentrySpec, tokensPage } from "./spec.ts";

const lacks = "The token is genuine but does not have permission to read the organization or the team.";
const refusals = refusalsOf("Sentry", "token", tokensPage, lacks);
const again = "Copy the slug again from the address in Sentry.";

function open(context: ConnectorContext, fields: SecretValues) {
  const [organization, team] = [requireField(fields, "organization"), requireField(fields, "team")];
  const asked = openSentry(context, requireField(fields, "token"), fields.region?.reveal());
  return { asked, organization, team };
}

// To replace a project would lose its events: what is lent is not rotated.
const { rotate: _, ...issuer } = namedIssuer("keyloan-", (context, { fields }) => {
  const { asked, organization, team } = open(context, fields);
  const adopt = async (project: string) => {
    const keys = await asked.listKeys({ params: { organization, project } });
    const dsn = keys.find(({ isActive }) => isActive)?.dsn.public;
    if (dsn === undefined) throw new ProviderError("sentry", "not_found", "has a project without a key");
    return secretValues({ SENTRY_DSN: dsn });
  };
  return {
    provider: "sentry",
    list: async function* () {
      for await (const { slug } of everyProject(asked, organization)) yield { id: slug, name: slug };
    },
    find: async (project) =>
      (await unlessGone(asked.readProject({ params: { organization, project } }))) === "gone"
        ? []
        : [project],
    adopt,
    create: async (slug) => {
      await asked.createProject({ params: { organization, team }, body: { name: slug, slug } });
      return adopt(slug);
    },
    remove: (project) => asked.deleteProject({ params: { organization, project } }),
  };
});

/** A Sentry project of its own for every build. */
export const sentry = defineConnector({
  spec: sentrySpec,
  validateOrgKey: (context, fields) =>
    checkValues(sentrySpec.orgFields, fields, refusals, async () => {
      const { asked, organization, team } = open(context, fields);
      const found = await unlessGone(asked.readOrganization({ params: { organization } }));
      if (found === "gone") {
        return invalid(
          "organization",
          "rejected",
          "The token cannot see an organization with this name.",
          again,
        );
      }
      const owner = await unlessGone(asked.readTeam({ params: { organization, team } }));
      if (owner === "gone") return invalid("team", "rejected", "The organization has no such team.", again);
      const capabilities = [
        ...works("Can read the organization", "Can read the team"),
        { name: "Can create and delete projects", state: "not_checked" as const },
      ];
      return { status: "valid", account: found.slug, capabilities, warnings: [] };
    }),
  // A DSN can only be tried by sending an event, which would stand among the app's errors.
  validate: (_context, values) =>
    checkValues(sentrySpec.env, values, {}, async () => {
      const { hostname, pathname } = new URL(requireField(values, "SENTRY_DSN"));
      const remedy = "Cause an error in your app and check that it arrives in Sentry.";
      const sending = { name: "Sentry accepts events", state: "not_checked" as const, remedy };
      const account = `project ${pathname.slice(1)} at ${hostname}`;
      return {
        status: "valid",
        account,
        capabilities: [...works("The DSN is complete"), sending],
        warnings: [],
      };
    }),
  issuer,
});
