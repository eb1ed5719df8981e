import * as z from "zod";
import {
  changeSettingsBodySchema,
  envFileQuerySchema,
  previewBodySchema,
  savedAnswerSchema,
  saveKeysBodySchema,
  settingsSchema,
  swapBodySchema,
  swapResultSchema,
  validateKeysBodySchema,
  validateKeysSchema,
} from "../api/settings.ts";
import { answer, endpoints } from "./endpoint.ts";
import { settingsRoutes } from "./routes.ts";

const connectorParams = z.object({ connector: z.string().max(64) });

export const settingsEndpoints = endpoints("settings", settingsRoutes, {
  show: {
    access: "session",
    summary: "Whose keys the app uses, and what was saved, masked",
    answers: { 200: answer("the settings", settingsSchema) },
  },
  validate: {
    access: "person",
    work: "ask",
    summary: "Check values at the provider; nothing is stored",
    params: connectorParams,
    body: validateKeysBodySchema,
    example: { submission: { values: { TURSO_AUTH_TOKEN: "eyJ…" } } },
    answers: { 200: answer("what was found", validateKeysSchema) },
  },
  save: {
    access: "person",
    work: "ask",
    summary: "Check values and seal them",
    params: connectorParams,
    body: saveKeysBodySchema,
    example: { submission: { sealed: "q2V4YW1wbGU" }, expectedVersion: 3 },
    answers: { 200: answer("saved", savedAnswerSchema) },
  },
  recheck: {
    access: "person",
    work: "ask",
    summary: "Check saved values at the provider again and keep the answer",
    params: connectorParams,
    body: changeSettingsBodySchema,
    example: { expectedVersion: 4 },
    answers: { 200: answer("what was found now", savedAnswerSchema) },
  },
  remove: {
    access: "person",
    summary: "Forget values that are not in use",
    params: connectorParams,
    query: z.strictObject({ expectedVersion: z.coerce.number().int().min(0) }),
    answers: { 200: answer("the settings", settingsSchema) },
  },
  swap: {
    access: "person",
    work: "ask",
    summary: "Let the app use the user's own keys; with `dryRun` only ask the gates",
    body: swapBodySchema,
    example: { dryRun: true, expectedVersion: 4 },
    answers: { 200: answer("what the gates found, and the settings", swapResultSchema) },
  },
  revert: {
    access: "person",
    work: "ask",
    summary: "Let the app use the lent keys again, within the window",
    body: changeSettingsBodySchema,
    example: { expectedVersion: 4 },
    answers: { 200: answer("the settings", settingsSchema) },
  },
  preview: {
    access: "person",
    summary: "Change which of the user's own values the build's env may hold",
    body: previewBodySchema,
    example: { preview: { stripe: false }, expectedVersion: 5 },
    answers: { 200: answer("the settings", settingsSchema) },
  },
  envFile: {
    access: "person",
    summary: "Download the user's own env file, or a preview that hides values",
    query: envFileQuerySchema,
    answers: { 200: { description: "the file", mediaType: "text/plain" } },
  },
  finish: {
    access: "person",
    summary: "End the handoff: the build's tokens die, and everything lent ends with the window",
    body: changeSettingsBodySchema,
    example: { expectedVersion: 4 },
    answers: { 200: answer("the settings", settingsSchema) },
  },
});
