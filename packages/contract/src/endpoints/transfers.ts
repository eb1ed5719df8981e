import * as z from "zod";
import { buildIdSchema } from "../api/common.ts";
import {
  changeTransferBodySchema,
  receiptListSchema,
  startTransferBodySchema,
  transferListSchema,
} from "../api/transfers.ts";
import { answer, endpoint } from "./endpoint.ts";
import { pageTransferRoutes, transferRoutes } from "./routes.ts";

const tag = "transfers";
const params = z.object({ id: buildIdSchema });

const show = {
  tag,
  summary: "What can be moved, and how far it is",
  answers: { 200: answer("how far it is", transferListSchema) },
} as const;
const start = {
  tag,
  summary: "Move what the app stored with lent keys into the user's own accounts",
  body: startTransferBodySchema,
  isBodyOptional: true,
  answers: { 202: answer("begun; ask again for its progress", transferListSchema) },
} as const;
const cancel = {
  tag,
  summary: "Stop moving and undo what was begun: first the app may write again",
  body: changeTransferBodySchema,
  isBodyOptional: true,
  answers: { 202: answer("being undone", transferListSchema) },
} as const;
const resume = {
  tag,
  summary: "Go on with transfers that failed or were cancelled",
  body: changeTransferBodySchema,
  isBodyOptional: true,
  answers: { 202: answer("begun; ask again for its progress", transferListSchema) },
} as const;
const receipts = {
  tag,
  summary: "Signed receipts of what was moved and proven",
  query: z.strictObject({ connector: z.string().max(64).optional() }),
  answers: { 200: answer("newest first", receiptListSchema) },
} as const;

const reading = { params, access: { admin: true, platform: "builds:read" } } as const;
const writing = { params, access: { admin: true, platform: "builds:write" } } as const;

/** For whoever made the build. */
export const transferEndpoints = {
  show: endpoint(transferRoutes.show, { ...show, ...reading }),
  start: endpoint(transferRoutes.start, { ...start, ...writing }),
  cancel: endpoint(transferRoutes.cancel, { ...cancel, ...writing }),
  resume: endpoint(transferRoutes.resume, { ...resume, ...writing }),
  receipts: endpoint(transferRoutes.receipts, { ...receipts, ...reading }),
};

/** From the settings page. */
export const pageTransferEndpoints = {
  show: endpoint(pageTransferRoutes.show, { ...show, access: "session" }),
  start: endpoint(pageTransferRoutes.start, { ...start, access: "person" }),
  cancel: endpoint(pageTransferRoutes.cancel, { ...cancel, access: "person" }),
  resume: endpoint(pageTransferRoutes.resume, { ...resume, access: "person" }),
  receipts: endpoint(pageTransferRoutes.receipts, { ...receipts, access: "person" }),
};
