import { ProviderError, secretValues } from "@keyloan/contract";
import { defineConnector, requireField } from "../kit/define-connector.ts";
import { namedIssuer } from "../kit/named-resource.ts";
import { checkValues, invalid, refusalsOf, works } from "../kit/validation-results.ts";
import { everyKey, openResend, type Resend } from "./client.ts";
import { keysPage, resendSpec } from "./spec.ts";

const orgRefusals = refusalsOf(
  "Resend",
  "apiKey",
  keysPage,
  "The key can only send mail: it cannot make keys.",
);

/** A Resend key for every build, which sends and does nothing else. */
export const resend = defineConnector({
  spec: resendSpec,
  // "Resend, rate limits": 5 a second for a team, 2 in older texts.
  callBudget: { calls: 20, windowSeconds: 10 },
  validateOrgKey: (context, fields) =>
    checkValues(resendSpec.orgFields, fields, orgRefusals, async () => {
      const verified = await verifiedDomains(openResend(context, requireField(fields, "apiKey")));
      const warnings = [
        "No domain is verified, so lent keys can send mail only to the owner of this account.",
      ];
      const capabilities = works("Can read domains", "Can make keys");
      return { status: "valid", capabilities, warnings: verified.length > 0 ? [] : warnings };
    }),
  prepareOrgKey: async (context, fields) => {
    const [first] = await verifiedDomains(openResend(context, requireField(fields, "apiKey")));
    return first === undefined ? {} : { domainId: first.id, domain: first.name };
  },
  validate: (context, values) =>
    checkValues(resendSpec.env, values, refusalsOf("Resend", "RESEND_API_KEY", keysPage), async () => {
      const sender = values.RESEND_FROM?.reveal().split("@")[1]?.toLowerCase();
      const account = sender ?? "an account without a sender";
      const asked = openResend(context, requireField(values, "RESEND_API_KEY"));
      const domains = await verifiedDomains(asked).catch(ifOnlySending);
      const sends = works("The key is genuine", "Can send mail");
      if (domains === undefined) return { status: "valid", account, capabilities: sends, warnings: [] };
      const isVerified = sender === "resend.dev" || domains.some(({ name }) => name.toLowerCase() === sender);
      if (sender !== undefined && !isVerified) {
        const remedy = "Verify the domain under Domains in Resend, or use an address of a verified domain.";
        return invalid("RESEND_FROM", "rejected", "Resend has not verified this domain for you.", remedy);
      }
      const warnings = [
        "This key can do everything in your Resend account: a key with sending access is safer.",
      ];
      return { status: "valid", account, capabilities: [...sends, ...works("Can read domains")], warnings };
    }),
  issuer: namedIssuer("keyloan-", (context, org) => {
    const asked = openResend(context, requireField(org.fields, "apiKey"));
    const { domainId, domain = "resend.dev" } = org.facts;
    const confined = domainId === undefined ? {} : { domain_id: domainId };
    return {
      provider: "resend",
      list: () => everyKey(asked),
      create: async (name) => {
        const { token } = await asked.createKey({
          body: { name, permission: "sending_access", ...confined },
        });
        return secretValues({ RESEND_API_KEY: token, RESEND_FROM: `onboarding@${domain}` });
      },
      remove: (id) => asked.deleteKey({ params: { id } }),
    };
  }),
});

async function verifiedDomains(asked: Resend) {
  const { data } = await asked.listDomains();
  return data.filter(({ status }) => status === "verified").toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** A key that only sends is refused by that name, with 401: it is genuine. */
function ifOnlySending(error: unknown): undefined {
  if (!(error instanceof ProviderError && error.code === "forbidden" && error.status === 401)) throw error;
}
