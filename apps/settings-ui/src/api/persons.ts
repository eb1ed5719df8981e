import {
  handoffRoutes,
  type KnownBuilds,
  type OpenedSession,
  personRoutes,
  type RecoveryCode,
  type SettingsView,
  type TokenPermission,
} from "@keyloan/contract";
import { call, send } from "./request.ts";

/** What opens a visit: a link's code, a recovery code, or a build whose person this browser stands for. */
export type Proof = { readonly code: string } | { readonly recovery: string } | { readonly buildId: string };

export const openSession = (proof: Proof): Promise<OpenedSession> =>
  call(handoffRoutes.open, { body: proof }, { inTurn: true });

/** `forget`: this browser does not stand for the person any more either. */
export const endSession = (forget: boolean): Promise<unknown> =>
  send(handoffRoutes.leave, { query: forget ? { forget: "true" } : {} }, { inTurn: true });

/** The builds that this browser stands for the person of. */
export const readKnownBuilds = (): Promise<KnownBuilds> => call(personRoutes.known, {});

/** A new recovery code; the old one ends, and every other browser is signed out. */
export const makeRecoveryCode = (): Promise<RecoveryCode> =>
  call(personRoutes.recovery, {}, { inTurn: true });

export const startOver = (): Promise<SettingsView> => call(personRoutes.ask, {});

/** Ends a request to start over: withdrawn by who asked, refused by the person. */
export const endStartOver = (): Promise<SettingsView> => call(personRoutes.refuse, {});

export const allowTokens = (tokensMay: TokenPermission[], expectedVersion: number): Promise<SettingsView> =>
  call(personRoutes.allow, { body: { tokensMay, expectedVersion } });
