export { fakeDatabases } from "./fake-databases.ts";
export { fakeStorage } from "./fake-storage.ts";
