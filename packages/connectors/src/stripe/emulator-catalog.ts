import { randomText } from "../kit/emulator-state.ts";
import { type Form, nested, type StripeProblem } from "./emulator-http.ts";
import type { EmulatedPrice, EmulatedProduct, StripeState } from "./emulator-store.ts";

const seconds = () => Math.floor(Date.now() / 1000);
const missing = (kind: string, id: string, status = 404): StripeProblem => ({
  status,
  code: "resource_missing",
  message: `No such ${kind}: '${id}'`,
  param: status === 404 ? "id" : kind,
});

/** `POST /v1/products` */
export function createProduct(state: StripeState, form: Form): EmulatedProduct | StripeProblem {
  const unknown = unknownParameter(form, ["id", "name", "description", "active", "metadata"]);
  if (unknown !== undefined) return unknown;
  const name = form.get("name");
  if (name === undefined || name === "") return required("name");
  const id = form.get("id") ?? `prod_${randomText(14)}`;
  if (state.products.some((product) => product.id === id)) {
    return { status: 400, code: "resource_already_exists", message: "Product already exists.", param: "id" };
  }
  const metadata = nested(form, "metadata");
  const product = { id, name, metadata, active: form.get("active") !== "false", created: seconds() };
  state.products.unshift(product);
  return product;
}

/** `POST /v1/prices` */
export function createPrice(state: StripeState, form: Form): EmulatedPrice | StripeProblem {
  const known = ["currency", "product", "unit_amount", "lookup_key", "recurring", "metadata", "nickname"];
  const unknown = unknownParameter(form, known);
  if (unknown !== undefined) return unknown;
  const [currency, product, amount] = [form.get("currency"), form.get("product"), form.get("unit_amount")];
  if (currency === undefined) return required("currency");
  if (product === undefined) return required("product");
  if (!/^[a-z]{3}$/.test(currency)) {
    return { status: 400, message: `Invalid currency: ${currency}.`, param: "currency" };
  }
  if (!/^\d{1,8}$/.test(amount ?? "")) {
    return {
      status: 400,
      code: "parameter_invalid_integer",
      message: "Invalid integer",
      param: "unit_amount",
    };
  }
  if (!state.products.some(({ id }) => id === product)) return missing("product", product, 400);
  const lookupKey = form.get("lookup_key") ?? null;
  const holder = state.prices.find(({ lookup_key }) => lookupKey !== null && lookup_key === lookupKey);
  if (holder !== undefined) {
    const message = `A price (\`${holder.id}\`) already uses that lookup key.`;
    return { status: 400, message, param: "lookup_key" };
  }
  const price = {
    id: `price_1${randomText(23)}`,
    product,
    active: true,
    currency,
    unit_amount: Number(amount),
    lookup_key: lookupKey,
    interval: nested(form, "recurring").interval ?? null,
    metadata: nested(form, "metadata"),
    created: seconds(),
  };
  state.prices.unshift(price);
  return price;
}

/** `GET /v1/products/{id}` or `GET /v1/prices/{id}` */
export function find<T extends { id: string }>(
  kind: string,
  items: readonly T[],
  id: string,
): T | StripeProblem {
  return items.find((item) => item.id === id) ?? missing(kind, id);
}

/** `POST /v1/products/{id}` or `POST /v1/prices/{id}` */
export function update<T extends { id: string; active: boolean; metadata: Record<string, string> }>(
  kind: string,
  items: readonly T[],
  id: string,
  form: Form,
): T | StripeProblem {
  const unknown = unknownParameter(form, ["active", "metadata"]);
  const item = items.find((candidate) => candidate.id === id);
  if (unknown !== undefined) return unknown;
  if (item === undefined) return missing(kind, id);
  if (form.has("active")) item.active = form.get("active") === "true";
  Object.assign(item.metadata, nested(form, "metadata"));
  return item;
}

/** Whether a list's filters leave a product. */
export function keepsProduct(product: EmulatedProduct, query: Form): boolean {
  const active = query.get("active");
  return active === undefined || String(product.active) === active;
}

/** Whether a list's filters leave a price. */
export function keepsPrice(price: EmulatedPrice, query: Form): boolean {
  const lookupKeys = Object.values(nested(query, "lookup_keys"));
  const [active, product] = [query.get("active"), query.get("product")];
  return (
    (active === undefined || String(price.active) === active) &&
    (product === undefined || price.product === product) &&
    (lookupKeys.length === 0 || lookupKeys.includes(price.lookup_key ?? ""))
  );
}

function required(param: string): StripeProblem {
  return { status: 400, code: "parameter_missing", message: `Missing required param: ${param}.`, param };
}

function unknownParameter(form: Form, known: readonly string[]): StripeProblem | undefined {
  const param = [...form.keys()].find((name) => !known.includes(name.split("[")[0] ?? ""));
  if (param === undefined) return undefined;
  return { status: 400, code: "parameter_unknown", message: `Received unknown parameter: ${param}`, param };
}
