import { type LoadOrder, runLoad } from "./load-client.ts";

// Told what to send by its parent, one order after the other; ends with it.
process.on("message", (order: LoadOrder) => {
  runLoad(order).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
