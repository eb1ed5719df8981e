import type * as z from "zod";
import type { Route } from "./endpoint.ts";
import type * as groups from "./groups.ts";

// Types alone, and one function without schemas: clients that must start fast take this and nothing more.

type ValuesOf<Group> = Group extends unknown ? Group[keyof Group] : never;
type KnownEndpoint = ValuesOf<ValuesOf<typeof groups>>;

/** The route of a call that the broker serves. */
export type KnownRoute = KnownEndpoint["route"];

type Needed<Name extends string, Schema> = Schema extends z.ZodType
  ? Record<never, never> extends z.input<Schema>
    ? { readonly [N in Name]?: z.input<Schema> }
    : { readonly [N in Name]: z.input<Schema> }
  : object;
type ParamsOf<E> = E extends { readonly params: infer Schema } ? Needed<"params", Schema> : object;
type QueryOf<E> = E extends { readonly query: infer Schema } ? Needed<"query", Schema> : object;
type BodyOf<E> = E extends { readonly body: infer Schema extends z.ZodType }
  ? E extends { readonly isBodyOptional: true }
    ? { readonly body?: z.input<Schema> }
    : { readonly body: z.input<Schema> }
  : object;

type Inputs = { [E in KnownEndpoint as E["route"]]: ParamsOf<E> & QueryOf<E> & BodyOf<E> };

/** What a call is given: the parameters of its path, its query and its body, where it has them. */
export type CallInput<R extends KnownRoute> = Inputs[R];

type JsonOf<Answer> = Answer extends { readonly schema: infer Schema extends z.ZodType }
  ? z.output<Schema>
  : never;
type Answers = {
  [E in KnownEndpoint as E["route"]]: Exclude<
    JsonOf<E["answers"][keyof E["answers"]]>,
    { readonly error: unknown }
  >;
};

/** The JSON that a call answers with; an error is thrown instead. */
export type CallAnswer<R extends KnownRoute> = Answers[R];

/** What any call may be given. */
export type CallParts = {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
};

/**
 * The method and the path of a call, with its parameters and its query put in and encoded.
 * @throws TypeError for a parameter that is missing or, being empty or dots, would change the path
 */
export function addressOf(route: Route, { params = {}, query = {} }: CallParts) {
  const [method = "", template = ""] = route.split(" ");
  const path = template.replace(/\{(\w+)\}/g, (_, name: string) => segment(name, params[name]));
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] as [string, string]],
  );
  return { method, path: given.length === 0 ? path : `${path}?${new URLSearchParams(given)}` };
}

function segment(name: string, value = ""): string {
  if (/^\.{0,2}$/.test(value)) throw new TypeError(`${name} cannot be part of a path`);
  return encodeURIComponent(value);
}
