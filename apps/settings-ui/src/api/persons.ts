import type {
  KnownBuilds,
  OpenedSession,
  RecoveryCode,
  SettingsView,
  TokenPermission,
} from "@keyloan/contract";
import { request, requestJson } from "./request.ts";

/** What opens a visit: a link's code, a recovery code, or a build whose person this browser stands for. */
export type Proof = { readonly code: string } | { readonly recovery: string } | { readonly buildId: string };

export const openSession = (proof: Proof): Promise<OpenedSession> =>
  requestJson("POST", "/v1/session", { body: proof });

/** `forget`: this browser does not stand for the person any more either. */
export const endSession = (forget: boolean): Promise<unknown> =>
  request("DELETE", `/v1/session${forget ? "?forget=true" : ""}`);

/** The builds that this browser stands for the person of. */
export const readKnownBuilds = (): Promise<KnownBuilds> => requestJson("GET", "/v1/person");

/** A new recovery code; the old one ends. */
export const makeRecoveryCode = (): Promise<RecoveryCode> => requestJson("POST", "/v1/settings/recovery");

export const startOver = (): Promise<SettingsView> => requestJson("POST", "/v1/settings/start-over");

/** Ends a request to start over: withdrawn by who asked, refused by the person. */
export const endStartOver = (): Promise<SettingsView> => requestJson("DELETE", "/v1/settings/start-over");

export const allowTokens = (
  tokensMay: readonly TokenPermission[],
  expectedVersion: number,
): Promise<SettingsView> =>
  requestJson("PUT", "/v1/settings/tokens-may", { body: { tokensMay, expectedVersion } });
