import type { Page } from "@keyloan/contract";
import type { Context } from "hono";
import * as z from "zod";
import type { Call, Calls } from "../calls/define-calls.ts";
import { writeLink } from "../calls/link-pages.ts";
import { createFaultQueue, type FaultQueue, type StartEmulator } from "../emulator.ts";
import { createEmulatorApp, type EmulatorApp, type EmulatorEnv, serveEmulator } from "../emulator-app.ts";
import { openEmulatorState } from "../emulator-state.ts";
import { parseJson } from "../http.ts";
import { createReplays } from "./replays.ts";
import { Refused, type StandIn, type StandInApi, type StandInRequest } from "./stand-in.ts";

/** The accounts that a stand-in serves: the org's and those of users. */
export type StandInAccounts<Account> = {
  readonly list: () => readonly [org: Account, ...users: Account[]];
  readonly save: () => Promise<void>;
};

/** A stand-in that listens on 127.0.0.1, keeps its accounts in one file, and answers the calls of its table. */
export function startStandIn<T extends Calls, Account>(standIn: StandIn<T, Account>): StartEmulator {
  return async ({ stateDirectory, port, now = Date.now }) => {
    const { id, account, createAccount, userEnv } = standIn;
    const schema = z.object({ org: account, users: z.array(account) });
    const state = await openEmulatorState(stateDirectory, id, schema, async () => ({
      org: await createAccount("test", "org"),
      users: [],
    }));
    const { org, users } = state.value;
    const faults = createFaultQueue();
    const accounts = { list: () => [org, ...users] as const, save: state.save };
    const server = await serveEmulator(createStandInApp(standIn, accounts, faults, now), port);
    return {
      ...server,
      faults,
      orgFields: standIn.orgFields(org),
      createUserEnv: async ({ mode = "live", kind = "good" } = {}) => {
        const envOf = userEnv[kind];
        if (envOf === undefined) throw new Error(`${id} has no ${kind} keys`);
        const add = async () => {
          const made = await createAccount(mode, "user");
          users.push(made);
          return made;
        };
        const env = await envOf(await add(), add);
        await state.save();
        return env;
      },
      close: async () => {
        await server.close();
        await state.save();
      },
    };
  };
}

/** The routes of a table of calls. Each checks the keys of the accounts. */
export function createStandInApp<T extends Calls, Account>(
  standIn: StandInApi<T, Account>,
  accounts: StandInAccounts<Account>,
  faults: FaultQueue,
  now: () => number,
): EmulatorApp {
  const {
    calls,
    answers,
    open = [],
    keysOf,
    errorBody,
    refuse,
    badRequest = 400,
    headers = () => ({}),
  } = standIn;
  const bodyOf = (status: number, facts = {}) => JSON.stringify(errorBody(status, facts)) ?? "";
  const app = createEmulatorApp({ faults, errorBody: bodyOf });
  const json = (status: number, text: string, more: Readonly<Record<string, string>> = {}) =>
    new Response(text === "" ? null : text, {
      status,
      headers: { ...(text === "" ? {} : { "content-type": "application/json" }), ...headers(), ...more },
    });
  const refused = ({ status, facts }: Refused) => json(status, bodyOf(status, facts));
  const replays = standIn.idempotent === true ? createReplays() : undefined;

  const callerOf = (context: Context<EmulatorEnv>, isOpen = false) => {
    const key = /^Bearer (\S+)$/i.exec(context.req.header("authorization") ?? "")?.[1];
    const [org, ...users] = accounts.list();
    const known = [org, ...users].find((each) => key !== undefined && keysOf(each, now()).includes(key));
    return { key, account: known ?? (isOpen ? org : undefined) };
  };
  const unknownKey = (key: string | undefined) => new Refused(401, key === undefined ? {} : { key });

  const serve = async (
    name: keyof T & string,
    call: Call,
    context: Context<EmulatorEnv>,
  ): Promise<Response> => {
    const { key, account } = callerOf(context, open.includes(name));
    if (account === undefined) return refused(unknownKey(key));
    const url = new URL(context.req.url);
    const text = await context.req.text();
    const request = { account, key: key ?? "", params: context.req.param(), url, now: now() };
    const given = { ...request, ...parseGiven(call, text, context) };
    const denied = refuse?.(given as StandInRequest<Account>, call);
    if (denied !== undefined) return refused(denied);
    const replayed = replays?.find(context, text);
    if (replayed !== undefined) return replayed instanceof Refused ? refused(replayed) : json(...replayed);
    const { body, query } = given;
    const problem = [body, query].find((each) => each instanceof z.ZodError);
    if (problem !== undefined) return refused(new Refused(badRequest, factsOf(problem)));
    const reply = await answers[name]?.(given as never);
    if (call.method !== "GET") await accounts.save();
    if (reply instanceof Response) return reply;
    const status = reply instanceof Refused ? reply.status : (call.status ?? 200);
    const answer = reply instanceof Refused ? bodyOf(status, reply.facts) : readable(name, call, reply);
    replays?.keep(context, text, status, answer);
    const page = reply as Page<unknown>;
    return call.paged === undefined || status > 299
      ? json(status, answer)
      : json(status, JSON.stringify(page.items), { link: writeLink(page, url) });
  };
  for (const [name, call] of Object.entries(calls))
    app.on(call.method, call.path.replaceAll(/\{(\w+)\}/g, ":$1"), (context) => serve(name, call, context));
  // An API checks the key first, even if the path does not exist.
  const roots = new Set(Object.values(calls).map(({ path }) => path.split("/")[1] ?? ""));
  app.notFound((context) => {
    const { key, account } = callerOf(context);
    const isApis = roots.has(context.req.path.split("/")[1] ?? "");
    return refused(isApis && account === undefined ? unknownKey(key) : new Refused(404));
  });
  return app;
}

function parseGiven({ body, query }: Call, text: string, context: Context<EmulatorEnv>) {
  const isForm = context.req.header("content-type")?.includes("x-www-form-urlencoded") === true;
  const sent = isForm ? parseForm(text) : (parseJson(text) ?? {});
  const parsed = body?.safeParse(sent);
  const asked = query?.safeParse(parseForm(new URL(context.req.url).search));
  return {
    body: parsed === undefined ? undefined : (parsed.data ?? parsed.error),
    query: asked === undefined ? context.req.query() : (asked.data ?? asked.error),
  };
}

const recordOf = (value: unknown) => (typeof value === "object" ? value : {});

/** A form, all values strings: `metadata[x]` becomes an object, `items[0][price]` one with the member `0.price`. */
function parseForm(text: string): Record<string, unknown> {
  const form: Record<string, unknown> = {};
  for (const [name, value] of new URLSearchParams(text)) {
    const [first = "", ...rest] = name.split(/\]?\[|\]$/).filter((part, index) => index === 0 || part !== "");
    const last = rest.pop();
    const inner = last === undefined ? {} : { ...recordOf(form[first]), [[...rest, last].join(".")]: value };
    form[first] = last === undefined ? value : inner;
  }
  return form;
}

/** The first problem of a body or query: the path of the parameter, and what is wrong with it. */
function factsOf({ issues: [issue] }: z.ZodError): Record<string, string> {
  const unknown = issue?.code === "unrecognized_keys" ? issue.keys[0] : undefined;
  const isMissing = issue?.code === "invalid_type" && issue.message.endsWith("received undefined");
  const code = unknown === undefined ? (isMissing ? "missing" : (issue?.message ?? "invalid")) : "unknown";
  return { param: [...(issue?.path ?? []), ...(unknown === undefined ? [] : [unknown])].join("."), code };
}

/** The answer as JSON. Throws if the client could not read it, because the stand-in is then wrong. */
function readable(name: string, call: Call, reply: unknown): string {
  // The schema of a call through an SDK describes what the SDK returns, which differs from the answer.
  if (call.via !== undefined) return JSON.stringify(reply) ?? "";
  const { error } = call.answer.safeParse(JSON.parse(JSON.stringify(reply ?? null)) ?? undefined);
  if (error !== undefined) throw new Error(`the stand-in's answer to ${name} is not what the table says`);
  return JSON.stringify(reply) ?? "";
}
