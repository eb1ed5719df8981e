import type { Visitor } from "../verbs/handoff/start-session.ts";
import { browserOf } from "../verbs/person/become-person.ts";
import type { BrokerContext } from "./context.ts";
import { personText, sessionTexts } from "./cookies.ts";

/** What the browser of a request brings with it. */
export function visitorOf(context: BrokerContext): Visitor {
  return {
    browser: browserOf(context.var.deps, personText(context)),
    sessions: sessionTexts(context),
    address: context.var.clientAddress(),
  };
}
