import { startStandIns } from "./stand-ins.ts";

// A process of its own, so that a measured broker shares its thread with nobody. Ends with its parent.
const standIns = await startStandIns(process.argv[2] ?? "");
process.once("disconnect", () => {
  standIns.close().then(
    () => process.exit(0),
    () => process.exit(1),
  );
});
process.send?.(standIns.byConnector);
