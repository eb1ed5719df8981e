import { startFakeBroker } from "./fake-broker.ts";

// A process of its own for measurements: it tells its address to the parent and ends with it.
const broker = await startFakeBroker();
process.send?.(broker.url);
process.on("disconnect", () => process.exit(0));
