import type {
  Catalog,
  EnvFormat,
  EnvProfile,
  KeySubmission,
  SavedAnswer,
  SettingsView,
  SwapResult,
} from "@keyloan/contract";
import { request, requestJson } from "./request.ts";

export type EnvFileChoice = { readonly format: EnvFormat; readonly profile: EnvProfile };

export const readCatalog = (): Promise<Catalog> => requestJson("GET", "/v1/catalog");

export const readSettings = (): Promise<SettingsView> => requestJson("GET", "/v1/settings");

export const saveKeys = (
  connector: string,
  submission: KeySubmission,
  expectedVersion: number,
  signal: AbortSignal,
): Promise<SavedAnswer> =>
  requestJson("PUT", `/v1/settings/keys/${encodeURIComponent(connector)}`, {
    body: { submission, expectedVersion },
    signal,
  });

/** Asks the service again about saved keys. */
export const recheckKeys = (
  connector: string,
  expectedVersion: number,
  signal: AbortSignal,
): Promise<SavedAnswer> =>
  requestJson("POST", `/v1/settings/keys/${encodeURIComponent(connector)}/recheck`, {
    body: { expectedVersion },
    signal,
  });

export const removeKeys = (connector: string, expectedVersion: number): Promise<SettingsView> =>
  requestJson(
    "DELETE",
    `/v1/settings/keys/${encodeURIComponent(connector)}?expectedVersion=${expectedVersion}`,
  );

/** By service: whether the app builder's preview may use the person's keys. */
export type PreviewAnswers = Readonly<Record<string, boolean>>;

export const changePreview = (preview: PreviewAnswers, expectedVersion: number): Promise<SettingsView> =>
  requestJson("POST", "/v1/settings/preview", { body: { preview, expectedVersion } });

/** `dryRun` only asks the gates. @throws RequestError `gates_failed` with the gates in its details */
export const swap = (body: {
  readonly connectors?: readonly string[];
  readonly dryRun: boolean;
  readonly preview?: PreviewAnswers;
  readonly expectedVersion: number;
}): Promise<SwapResult> => requestJson("POST", "/v1/settings/swap", { body });

export const revert = (expectedVersion: number): Promise<SettingsView> =>
  requestJson("POST", "/v1/settings/revert", { body: { expectedVersion } });

export const finish = (expectedVersion: number): Promise<SettingsView> =>
  requestJson("POST", "/v1/settings/finish", { body: { expectedVersion } });

/** The file with every value hidden. */
export const previewEnvFile = async (choice: EnvFileChoice): Promise<string> =>
  (await request("GET", envFilePath(choice, true))).text();

/** The file itself and the name it is saved under. */
export async function fetchEnvFile(
  choice: EnvFileChoice,
): Promise<{ readonly name: string; readonly content: Blob }> {
  const response = await request("GET", envFilePath(choice, false));
  const name = /filename="([^"]+)"/.exec(response.headers.get("content-disposition") ?? "")?.[1];
  return { name: name ?? ".env.production", content: await response.blob() };
}

function envFilePath({ format, profile }: EnvFileChoice, preview: boolean): string {
  return `/v1/settings/env-file?${new URLSearchParams({ format, profile, preview: String(preview) })}`;
}
