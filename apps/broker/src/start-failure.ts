import { StoreError } from "@keyloan/store";
import type { BrokerConfig } from "./env.ts";

/** One sentence for whoever started a broker that did not start. */
export function explainStartFailure(error: unknown, config: BrokerConfig): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "EADDRINUSE") {
    return `Another program uses port ${config.port}: stop it, or set PORT to another number.`;
  }
  if (code === "EACCES" || code === "EADDRNOTAVAIL") {
    return `This machine does not let the broker listen on ${config.host}:${config.port}: choose another KEYLOAN_HOST or PORT.`;
  }
  if (error instanceof StoreError) return `${capitalised(error.message)}. Look at KEYLOAN_DATA_DIR.`;
  if (error instanceof Error) return capitalised(error.message);
  return "The broker could not start.";
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
