import { libsqlContent } from "../kit/libsql/content.ts";

/** What is in a database, read and written with the values that an app has. */
export const tursoContent = libsqlContent({
  provider: "turso",
  url: "TURSO_DATABASE_URL",
  token: "TURSO_AUTH_TOKEN",
});
