import { plannedNames } from "../kit/named-resource.ts";

/** What the database of a lease is called: names of ours have 100 random bits. */
export const databaseNames = plannedNames("database", "kl-");
