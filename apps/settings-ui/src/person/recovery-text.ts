import { readRecoveryCode } from "@keyloan/contract";

/** The recovery code in what somebody typed or pasted: alone, in a line, or somewhere in the text. */
export function recoveryCodeIn(text: string): string | undefined {
  const candidates = [text, ...text.split("\n"), ...text.split(/\s+/)];
  return candidates.map(readRecoveryCode).find((code) => code !== undefined);
}

export const recoveryFileName = "keyloan-recovery-code.txt";

/** What the file says, so that whoever finds it later knows what it is for. */
export function recoveryFile(code: string, app: string, address: string): string {
  return [
    `The recovery code for the settings of ${app}`,
    "",
    code,
    "",
    `It opens ${address} in any browser, as the person who saved keys there:`,
    "choose “I have a recovery code” on that page and enter it.",
    "",
    "Anyone who has this code can use it, so keep it safe, like a password.",
    "A newer code replaces this one.",
    "",
  ].join("\n");
}
