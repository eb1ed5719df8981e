import { type ConnectorContext, ProviderError, type SecretValues } from "@keyloan/contract";

/** One end of a transfer: the context of its provider's calls, and the values that open it. */
export type TransferEnd = { readonly context: ConnectorContext; readonly values: SecretValues };
export type TransferSide = "source" | "target";

/** A provider failed at one end of a transfer; who has to fix it depends on which end. */
export class TransferFailure extends Error {
  override readonly name = "TransferFailure";
  readonly side: TransferSide;
  readonly failure: ProviderError;

  constructor(side: TransferSide, failure: ProviderError) {
    super(`the ${side} failed: ${failure.message}`, { cause: failure });
    this.side = side;
    this.failure = failure;
  }
}

/** Adds the side to a failure of a provider. */
export async function at<T>(side: TransferSide, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw sided(side, error);
  }
}

export function sided(side: TransferSide, error: unknown): unknown {
  return error instanceof ProviderError ? new TransferFailure(side, error) : error;
}
