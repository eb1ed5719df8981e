import type { Endpoint } from "./endpoint.ts";
import * as groups from "./groups.ts";

/** Every call of the API. */
export const endpoints: readonly Endpoint[] = Object.values(groups).flatMap((group) => Object.values(group));
