import { randomBytes } from "node:crypto";
import {
  createDataKey,
  createRootKey,
  type DataKey,
  type Keyring,
  parseKeyring,
  VaultError,
} from "../index.ts";

export const newKeyring = (): Keyring => parseKeyring(createRootKey(randomBytes).line);

export const buildOwner = "bld_3k9v0w1x2y3z4a5b6c7d";

export const newDataKey = (ownerId = buildOwner, keyring = newKeyring()): DataKey =>
  createDataKey(keyring, { id: "dek_0123456789abcdefghjk", ownerId }).key;

/** The code of the VaultError that an action throws; `undefined` if it throws nothing. */
export function vaultCode(action: () => unknown): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    return error instanceof VaultError ? error.code : `not a VaultError: ${String(error)}`;
  }
}
