import type { Endpoint } from "@keyloan/contract";
import type * as z from "zod";

/** The body of a call that may come without one: its defaults then. */
export function bodyOf<Schema extends z.ZodType>(
  context: { readonly req: { readonly valid: (target: "json") => unknown } },
  { body }: Endpoint & { readonly body: Schema; readonly isBodyOptional: true },
): z.output<Schema> {
  // The router looks at no schema where nothing was sent.
  return body.parse(context.req.valid("json"));
}
