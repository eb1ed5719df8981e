import * as z from "zod";

/**
 * A list from a provider, checked only up to the first item with a wrong shape. `z.array` would continue and describe
 * each wrong item: an answer of 4 MB can hold two million of them, which takes half a minute.
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
