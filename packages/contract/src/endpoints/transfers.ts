import * as z from "zod";
import { buildIdSchema } from "../api/common.ts";
import {
  changeTransferBodySchema,
  receiptListSchema,
  startTransferBodySchema,
  transferListSchema,
} from "../api/transfers.ts";
import { answer, buildReaders, buildWriters, endpoints } from "./endpoint.ts";
import { pageTransferRoutes, transferRoutes } from "./routes.ts";

const params = z.object({ id: buildIdSchema });

const show = {
  summary: "What can be moved, and its progress",
  answers: { 200: answer("the progress", transferListSchema) },
} as const;
const start = {
  work: "move",
  summary: "Move what the app stored with lent keys into the user's own accounts",
  body: startTransferBodySchema,
  example: { connectors: ["turso"] },
  isBodyOptional: true,
  answers: { 202: answer("begun; ask again for its progress", transferListSchema) },
} as const;
const cancel = {
  summary: "Stop moving and undo what was begun; first the app can write again",
  body: changeTransferBodySchema,
  example: { connectors: ["turso"] },
  isBodyOptional: true,
  answers: { 202: answer("being undone", transferListSchema) },
} as const;
const resume = {
  work: "move",
  summary: "Resume transfers that failed or were cancelled",
  body: changeTransferBodySchema,
  example: { connectors: ["turso"] },
  isBodyOptional: true,
  answers: { 202: answer("begun; ask again for its progress", transferListSchema) },
} as const;
const receipts = {
  summary: "Signed receipts of what was moved and proven",
  query: z.strictObject({ connector: z.string().max(64).optional() }),
  answers: { 200: answer("newest first", receiptListSchema) },
} as const;

const reading = { params, access: buildReaders } as const;
const writing = { params, access: buildWriters } as const;

/** For whoever made the build. */
export const transferEndpoints = endpoints("transfers", transferRoutes, {
  show: { ...show, ...reading },
  start: { ...start, ...writing },
  cancel: { ...cancel, ...writing },
  resume: { ...resume, ...writing },
  receipts: { ...receipts, ...reading },
});

/** From the settings page. */
export const pageTransferEndpoints = endpoints(
  { tag: "transfers", group: "pageTransfers" },
  pageTransferRoutes,
  {
    show: { ...show, access: "session" },
    start: { ...start, access: "person" },
    cancel: { ...cancel, access: "person" },
    resume: { ...resume, access: "person" },
    receipts: { ...receipts, access: "person" },
  },
);
