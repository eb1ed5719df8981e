import { randomText } from "../kit/emulator-state.ts";
import type { Form, StripeProblem } from "./emulator-http.ts";
import type { StripeState } from "./emulator-store.ts";

type Made = Record<string, unknown> & { readonly id: string };

/** `POST /v1/checkout/sessions`, of prices that exist. Sessions are answered and not kept. */
export function createCheckoutSession(state: StripeState, form: Form): Made | StripeProblem {
  const mode = form.get("mode");
  if (!["payment", "subscription", "setup"].includes(mode ?? "")) return invalid("mode", "Invalid mode");
  const prices = [...form].filter(([name]) => /^line_items\[\d+\]\[price\]$/.test(name));
  const unknown = prices.find(([, id]) => !state.prices.some((price) => price.id === id && price.active));
  if (unknown !== undefined) {
    const [param, id] = unknown;
    return { status: 400, code: "resource_missing", message: `No such price: '${id}'`, param };
  }
  if (prices.length === 0 && mode !== "setup") return invalid("line_items", "Missing required param");
  if (!form.has("success_url")) return invalid("success_url", "Missing required param");
  const id = `cs_${state.livemode ? "live" : "test"}_${randomText(58)}`;
  return {
    id,
    object: "checkout.session",
    livemode: state.livemode,
    mode,
    payment_status: "unpaid",
    status: "open",
    success_url: form.get("success_url"),
    url: `https://checkout.stripe.com/c/pay/${id}`,
  };
}

/** `POST /v1/payment_intents`. Intents are answered and not kept. */
export function createPaymentIntent(state: StripeState, form: Form): Made | StripeProblem {
  const amount = form.get("amount") ?? "";
  if (!/^[1-9]\d{0,7}$/.test(amount)) {
    return { status: 400, code: "parameter_invalid_integer", message: "Invalid integer", param: "amount" };
  }
  const currency = form.get("currency") ?? "";
  if (!/^[a-z]{3}$/.test(currency)) return invalid("currency", "Invalid currency");
  const id = `pi_${randomText(24)}`;
  return {
    id,
    object: "payment_intent",
    amount: Number(amount),
    client_secret: `${id}_secret_${randomText(25)}`,
    currency,
    livemode: state.livemode,
    status: "requires_payment_method",
  };
}

const invalid = (param: string, message: string): StripeProblem => ({ status: 400, message, param });
