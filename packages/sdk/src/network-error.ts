import { KeyloanError } from "./errors.ts";

/** What a failed exchange means, in words: by the code that Node gives the failure. */
export function networkError(url: URL, error: unknown): KeyloanError {
  const code = codeOf(error);
  const origin = url.origin;
  if (code === "ECONNREFUSED") {
    return new KeyloanError("not_reachable", `Nothing answers at ${origin}: the connection is refused.`, {
      remedy: "Start the broker, or set KEYLOAN_URL to the address where it runs.",
    });
  }
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") {
    return new KeyloanError("not_reachable", `The host name ${url.hostname} cannot be resolved.`, {
      remedy: "Check the spelling of KEYLOAN_URL, and the network.",
    });
  }
  if (code === "EPROTO" || code.startsWith("ERR_SSL")) {
    return new KeyloanError("tls_failed", `${origin} does not speak TLS.`, {
      remedy: "Check the port in KEYLOAN_URL, and whether it should start with http:// instead.",
    });
  }
  if (/CERT|SIGNATURE|ALTNAME|ISSUER/.test(code)) {
    return new KeyloanError("tls_failed", `The certificate of ${origin} is not trusted (${code}).`, {
      remedy: "Give the broker a valid certificate, or name your own authority in NODE_EXTRA_CA_CERTS.",
    });
  }
  if (code.startsWith("HPE_")) {
    return new KeyloanError("not_a_broker", `${origin} answers something that is not HTTP.`, {
      remedy: "Check the port in KEYLOAN_URL.",
    });
  }
  if (["ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH", "EADDRNOTAVAIL", "EACCES", "EPERM"].includes(code)) {
    return new KeyloanError("not_reachable", `${origin} cannot be reached (${code}).`, {
      remedy: "Check KEYLOAN_URL, the network and any firewall in between.",
    });
  }
  return new KeyloanError(
    "connection_lost",
    `The connection to ${origin} broke before the answer was complete${code === "" ? "" : ` (${code})`}.`,
    { remedy: "Try again; if it still fails, look at the broker's log." },
  );
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}
