import * as z from "zod";

/**
 * A list from a provider, judged up to the first item that has another shape. `z.array` would go on, and describe each
 * wrong one: an answer of 4 MB has room for two million, which takes half a minute.
 */
export function listOf<T>(item: z.ZodType<T>) {
  return z.array(z.unknown()).transform((given, context): T[] => {
    const items: T[] = [];
    for (const one of given) {
      const parsed = item.safeParse(one);
      if (!parsed.success) {
        context.addIssue({ code: "custom", message: `item ${items.length} has a different shape` });
        return z.NEVER;
      }
      items.push(parsed.data);
    }
    return items;
  });
}
