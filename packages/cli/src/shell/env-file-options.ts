import { CommandError } from "./command.ts";

/** @throws CommandError that names the lines in the way */
export async function mergedText(shown: string, existing: string, dotenvText: string): Promise<string> {
  const { EnvFileError, mergeEnvText } = await import("../env-files.ts");
  try {
    return mergeEnvText(existing, dotenvText);
  } catch (error) {
    if (!(error instanceof EnvFileError)) throw error;
    throw new CommandError(error.code, `${shown} was not changed. ${error.message}`, error.remedy);
  }
}

/** @throws CommandError when the recipient is none */
export async function encryptedText(text: string, recipient: string): Promise<string> {
  const { AgeRecipientError, encryptForAge } = await import("../env-files.ts");
  try {
    return await encryptForAge(text, recipient);
  } catch (error) {
    if (!(error instanceof AgeRecipientError)) throw error;
    throw new CommandError(error.code, error.message, error.remedy);
  }
}
