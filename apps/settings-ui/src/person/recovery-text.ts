const groups = /[0-9a-z]+(?:-[0-9a-z]+){3,}/i;
const line = new RegExp(`^[ \\t]*(${groups.source})[ \\t]*$`, "im");

/** The code in what somebody pasted: a line that is nothing else, or groups with dashes in it, or the text itself. */
export function recoveryCodeIn(text: string): string {
  return line.exec(text)?.[1] ?? groups.exec(text)?.[0] ?? text.trim();
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
    "Whoever has this code can use it, so keep it like a password.",
    "A newer code ends this one.",
    "",
  ].join("\n");
}
