import type * as z from "zod";

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** One call of a provider's API as data: the client, the README and the router of the stand-in follow from it. */
export type Call = {
  readonly method: Method;
  /** The path after the API's address; `{name}` is a part that the caller gives. */
  readonly path: string;
  /** The page of the provider's documentation. */
  readonly doc: string;
  readonly body?: z.ZodType;
  readonly query?: z.ZodType;
  /** The parts of the answer that are read; everything else is ignored. */
  readonly answer: z.ZodType;
  /** For a list whose `Link` header says where the next page starts. Client and stand-in handle it as a `Page`. */
  readonly paged?: "link";
  /** The status of a success, which the stand-in answers; 200 by default. The client accepts any 2xx. */
  readonly status?: number;
  /** Makes the call through the provider's SDK. */
  readonly via?: (sdk: never, input: never) => Promise<unknown>;
};

export type Calls = Readonly<Record<string, Call>>;

type PartsOf<P extends string> = P extends `${string}{${infer Name}}${infer Rest}`
  ? Name | PartsOf<Rest>
  : never;
type Given<S> = S extends z.ZodType ? z.input<S> : never;

/** What a caller gives: the parts of the path, the body and the query, if the call has them. */
export type CallInput<C extends Pick<Call, "path" | "body" | "query">> = ([PartsOf<C["path"]>] extends [never]
  ? unknown
  : { readonly params: Readonly<Record<PartsOf<C["path"]>, string>> }) &
  (C extends { readonly body: infer B } ? { readonly body: Given<B> } : unknown) &
  (C extends { readonly query: infer Q } ? { readonly query: Given<Q> } : unknown);

/** Functions that define calls. `Sdk` is the type of the provider's SDK, which the `via` of a call receives. */
export function callsThrough<Sdk = never>() {
  const make =
    <const M extends Method>(method: M) =>
    <const P extends string, const F extends Omit<Call, "method" | "path" | "via">>(
      path: P,
      facts: F,
      via?: (sdk: Sdk, input: CallInput<F & { readonly path: P }>) => Promise<unknown>,
    ) => ({ ...facts, method, path, ...(via === undefined ? {} : { via }) });
  return {
    get: make("GET"),
    post: make("POST"),
    put: make("PUT"),
    patch: make("PATCH"),
    del: make("DELETE"),
  };
}

/** Every call as it is written in the README of its connector. */
export function callLines(calls: Calls): string[] {
  return Object.values(calls).map(({ method, path }) => `${method} ${path}`);
}
