import type { Endpoint } from "@keyloan/contract";
import type * as z from "zod";

type MethodOf<E extends Endpoint> = E["route"] extends `${infer Method} ${string}`
  ? Lowercase<Method>
  : never;
type PathOf<E extends Endpoint> = E["route"] extends `${string} ${infer Path}` ? Path : never;

type JsonContent<Schema extends z.ZodType> = { content: { "application/json": { schema: Schema } } };
type ParamsOf<E> = E extends { readonly params: infer Params extends z.ZodObject }
  ? { params: Params }
  : object;
type QueryOf<E> = E extends { readonly query: infer Query extends z.ZodObject } ? { query: Query } : object;
type HeadersOf<E> = E extends { readonly headers: infer Headers extends z.ZodObject }
  ? { headers: Headers }
  : object;
type BodyOf<E extends Endpoint> = E extends { readonly body: infer Body extends z.ZodType }
  ? { body: JsonContent<Body> & { required: E extends { readonly isBodyOptional: true } ? false : true } }
  : object;
type AnswerOf<Answer> = { description: string } & (Answer extends {
  readonly schema: infer Schema extends z.ZodType;
}
  ? JsonContent<Schema>
  : object);

/** An endpoint as the router's library describes it: handlers are typed by this. */
export type EndpointRoute<E extends Endpoint> = {
  method: MethodOf<E>;
  path: PathOf<E>;
  request: ParamsOf<E> & QueryOf<E> & HeadersOf<E> & BodyOf<E>;
  responses: { [Status in keyof E["answers"]]: AnswerOf<E["answers"][Status]> };
};
