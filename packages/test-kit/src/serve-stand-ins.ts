import { startStandIns } from "@keyloan/connectors/emulators";

// A process of its own, so that a measured broker shares its thread with nobody. Ends with its parent.
const { urls, orgKeys, close } = await startStandIns(process.argv[2] ?? "");
process.once("disconnect", () => {
  close().then(
    () => process.exit(0),
    () => process.exit(1),
  );
});
process.send?.({ urls, orgKeys });
