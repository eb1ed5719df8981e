import * as z from "zod";
import { randomText } from "../kit/emulator-state.ts";
import { pageOf, Refused, takeOut } from "../kit/stand-in/stand-in.ts";
import { startStandIn } from "../kit/stand-in/start-stand-in.ts";
import { resendCalls } from "./client.ts";

const key = z.object({ id: z.string(), name: z.string(), token: z.string(), permission: z.string() });
const account = z.object({ domain: z.object({ id: z.string(), name: z.string() }), keys: z.array(key) });
type Account = z.output<typeof account>;

const newKey = (name: string, permission: string) => ({
  id: randomText(24),
  name,
  token: `re_${randomText(33)}`,
  permission,
});
const createdAt = new Date(0).toISOString();
const envOf = ({ keys }: Account, name: string, { domain }: Account) => ({
  RESEND_API_KEY: keys.find((each) => each.name === name)?.token ?? "",
  RESEND_FROM: `app@${domain.name}`,
});

/** Resend's API with the org's account and one for every user, each with a verified domain. */
export const startEmulator = startStandIn<typeof resendCalls, Account>({
  id: "resend",
  calls: resendCalls,
  account,
  createAccount: () => ({
    domain: { id: randomText(24), name: `mail-${randomText(8).toLowerCase()}.example.com` },
    keys: [newKey("all", "full_access"), newKey("app", "sending_access")],
  }),
  keysOf: ({ keys }) => keys.map(({ token }) => token),
  refuse: ({ account: { keys }, key: given }) =>
    keys.some(({ token, permission }) => token === given && permission === "full_access")
      ? undefined
      : new Refused(401, { name: "restricted_api_key", message: "This API key only sends emails" }),
  errorBody: (statusCode, { param = "", ...facts }) => {
    const [name, message] = errors[statusCode] ?? ["internal_server_error", "An unexpected error occurred"];
    return { statusCode, name, message: `${message}${param}`, ...facts };
  },
  badRequest: 422,
  answers: {
    createKey: ({ account: { domain, keys }, body: { name, permission, domain_id = domain.id } }) => {
      if (domain_id !== domain.id)
        return new Refused(422, { name: "invalid_access", message: "Access is not valid" });
      const made = newKey(name, permission);
      keys.unshift(made);
      return { id: made.id, token: made.token };
    },
    listKeys: ({ account: { keys }, query: { limit, after } }) => {
      const shown = keys.map(({ id, name }) => ({ id, name, created_at: createdAt }));
      return { object: "list", ...pageOf(shown, limit, after) };
    },
    deleteKey: ({ account: { keys }, params: { id } }) =>
      takeOut(keys, id) === undefined ? new Refused(404) : { object: "api-key", id, deleted: true },
    listDomains: ({ account: { domain } }) => ({
      object: "list",
      has_more: false,
      data: [{ ...domain, status: "verified", region: "eu-west-1", created_at: createdAt }],
    }),
  },
  orgFields: (own) => ({ apiKey: envOf(own, "all", own).RESEND_API_KEY }),
  userEnv: {
    good: (own) => envOf(own, "app", own),
    wide: (own) => envOf(own, "all", own),
    "wrong-pair": async (own, another) => envOf(own, "all", await another()),
  },
});

const errors: Readonly<Record<number, readonly [name: string, message: string]>> = {
  401: ["validation_error", "API key is invalid"],
  404: ["not_found", "API key not found"],
  422: ["invalid_parameter", "Invalid field: "],
  429: ["rate_limit_exceeded", "Too many requests. You can only make 5 requests per second."],
};
