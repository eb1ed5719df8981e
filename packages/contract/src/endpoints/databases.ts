import * as z from "zod";
import { buildIdSchema } from "../api/common.ts";
import { databaseListSchema } from "../api/databases.ts";
import { answer, buildReaders, buildWriters, endpoints } from "./endpoint.ts";
import { databaseRoutes } from "./routes.ts";

const params = z.object({ id: buildIdSchema });
const connector = z.string().max(64);
const databaseParams = params.extend({ connector });

export const databaseEndpoints = endpoints("databases", databaseRoutes, {
  list: {
    access: buildReaders,
    summary: "Show the databases of a build, since when they have been idle, and their archives",
    params,
    answers: { 200: answer("the databases", databaseListSchema) },
  },
  archive: {
    access: buildWriters,
    work: "move",
    summary: "Archive a database: it is ended once its archive is proven",
    description:
      "Answers when archiving has begun; the list shows the progress. Meanwhile the database takes no writes. It stays as it is when the archive does not hold the same data. Refused with `person_decides` while its user, who has switched, can go back to it or lets the preview use it.",
    params: databaseParams,
    answers: { 202: answer("begun", databaseListSchema) },
  },
  restore: {
    access: buildWriters,
    work: "move",
    summary: "Restore an archived database as a new one with a new token",
    description: "Answers when restoring has begun. When it is done, the build's env has the new values.",
    params: databaseParams,
    answers: { 202: answer("begun", databaseListSchema) },
  },
  download: {
    access: buildWriters,
    work: "file",
    summary: "Download a database as a file that its own tools open",
    description:
      "It comes from the archive when the database is archived. The file holds the database as it was at one moment.",
    params: databaseParams,
    answers: { 200: { description: "the file", mediaType: "application/octet-stream" } },
  },
  ownDownload: {
    access: "person",
    work: "file",
    summary: "Download the app's database as a file that its own tools open",
    params: z.object({ connector }),
    query: z.strictObject({
      build: z.string().max(64).optional().meta({
        description:
          "the build whose session to use, as in the header `x-keyloan-build`: a link has no headers",
      }),
    }),
    answers: { 200: { description: "the file", mediaType: "application/octet-stream" } },
  },
});
