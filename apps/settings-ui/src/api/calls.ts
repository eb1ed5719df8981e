import {
  type Catalog,
  catalogRoutes,
  type EnvFormat,
  type EnvProfile,
  type KeySubmission,
  type SavedAnswer,
  type SettingsView,
  type SwapResult,
  settingsRoutes,
} from "@keyloan/contract";
import { call, send } from "./request.ts";

export type EnvFileChoice = { readonly format: EnvFormat; readonly profile: EnvProfile };

export const readCatalog = (): Promise<Catalog> => call(catalogRoutes.catalog, {});

export const readSettings = (): Promise<SettingsView> => call(settingsRoutes.show, {});

export const saveKeys = (
  connector: string,
  submission: KeySubmission,
  expectedVersion: number,
  signal: AbortSignal,
): Promise<SavedAnswer> =>
  call(
    settingsRoutes.save,
    { params: { connector }, body: { submission, expectedVersion } },
    { signal, inTurn: true },
  );

/** Asks the service again about saved keys. */
export const recheckKeys = (
  connector: string,
  expectedVersion: number,
  signal: AbortSignal,
): Promise<SavedAnswer> =>
  call(settingsRoutes.recheck, { params: { connector }, body: { expectedVersion } }, { signal });

export const removeKeys = (connector: string, expectedVersion: number): Promise<SettingsView> =>
  call(settingsRoutes.remove, { params: { connector }, query: { expectedVersion } });

/** By service: whether the app builder's preview may use the person's keys. */
export type PreviewAnswers = Readonly<Record<string, boolean>>;

export const changePreview = (preview: PreviewAnswers, expectedVersion: number): Promise<SettingsView> =>
  call(settingsRoutes.preview, { body: { preview, expectedVersion } });

/** `dryRun` only asks the gates. @throws RequestError `gates_failed` with the gates in its details */
export const swap = (body: {
  readonly connectors?: readonly string[];
  readonly dryRun: boolean;
  readonly preview?: PreviewAnswers;
  readonly expectedVersion: number;
}): Promise<SwapResult> => call(settingsRoutes.swap, { body });

export const revert = (expectedVersion: number): Promise<SettingsView> =>
  call(settingsRoutes.revert, { body: { expectedVersion } });

export const finish = (expectedVersion: number): Promise<SettingsView> =>
  call(settingsRoutes.finish, { body: { expectedVersion } });

/** The file with every value hidden. */
export const previewEnvFile = async (choice: EnvFileChoice): Promise<string> =>
  (await send(settingsRoutes.envFile, envFile(choice, true))).text();

/** The file itself and the name it is saved under. */
export async function fetchEnvFile(
  choice: EnvFileChoice,
): Promise<{ readonly name: string; readonly content: Blob }> {
  const response = await send(settingsRoutes.envFile, envFile(choice, false));
  const name = /filename="([^"]+)"/.exec(response.headers.get("content-disposition") ?? "")?.[1];
  return { name: name ?? ".env.production", content: await response.blob() };
}

function envFile({ format, profile }: EnvFileChoice, isPreview: boolean) {
  return { query: { format, profile, preview: isPreview ? "true" : "false" } } as const;
}
