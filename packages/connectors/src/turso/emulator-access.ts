import { timingSafeEqual } from "node:crypto";
import type { Context, MiddlewareHandler } from "hono";
import type { EmulatorEnv } from "../kit/emulator-app.ts";
import type { EmulatedDatabases } from "./emulator-databases.ts";
import type { EmulatedDatabase, PlatformToken, TursoState } from "./emulator-state.ts";

export type TursoContext = Context<EmulatorEnv>;

/** What a platform token may see and do. */
export type TursoAccess = {
  readonly accepts: (token: string) => boolean;
  /** The token a request came with; only behind the check that it is accepted. */
  readonly tokenOf: (context: TursoContext) => PlatformToken;
  /** 403 unless the token has the scope. */
  readonly allow: (scope: string) => MiddlewareHandler<EmulatorEnv>;
  readonly maySee: (context: TursoContext, group: string) => boolean;
  /** The database of the path; one of a group that the token is not for is not there. */
  readonly find: (context: TursoContext) => Promise<EmulatedDatabase | undefined>;
};

export function createTursoAccess(state: TursoState, databases: EmulatedDatabases): TursoAccess {
  const lookUp = (given: string) => state.tokens.find(({ token }) => sameText(token, given));
  const tokenOf = (context: TursoContext): PlatformToken => {
    const found = lookUp(context.req.header("authorization")?.replace(/^bearer /i, "") ?? "");
    if (found === undefined) throw new Error("the request passed without a known token");
    return found;
  };
  const maySee = (context: TursoContext, group: string) => (tokenOf(context).group ?? group) === group;
  return {
    accepts: (token) => lookUp(token) !== undefined,
    tokenOf,
    maySee,
    allow: (scope) => async (context, next) =>
      tokenOf(context).scopes?.includes(scope) === false ? errorJson(context, 403, errorWords(403)) : next(),
    find: async (context) => {
      const found = await databases.find(context.req.param("name") ?? "");
      return found !== undefined && maySee(context, found.group) ? found : undefined;
    },
  };
}

export function errorJson(context: TursoContext, status: 400 | 403 | 404 | 409, error: string): Response {
  return context.json({ error }, status);
}

export function missingDatabase(context: TursoContext): Response {
  const name = context.req.param("name");
  return errorJson(context, 404, `could not find database with name [${name}]: record not found`);
}

export function errorWords(status: number): string {
  return words[status] ?? "internal server error";
}

const words: Readonly<Record<number, string>> = {
  400: "bad request",
  401: "unauthorized: token is invalid",
  403: "unauthorized access attempt",
  404: "not found",
  429: "too many requests",
};

function sameText(known: string, given: string): boolean {
  const a = Buffer.from(known);
  const b = Buffer.from(given);
  return a.length === b.length && timingSafeEqual(a, b);
}
