import {
  libsqlTestClient,
  testConnector,
  testDatabase,
  testDatabaseContent,
  testDatabaseUpkeep,
} from "../kit/testing/index.ts";
import { startEmulator } from "./emulator.ts";
import { turso } from "./index.ts";

testConnector({
  connector: turso,
  startEmulator,
  userKinds: {
    "read-only": {
      status: "invalid",
      envVar: "TURSO_AUTH_TOKEN",
      code: "lacks_permission",
      message: "This token can only read, but your app must write.",
    },
    "wrong-pair": { status: "invalid", envVar: "TURSO_AUTH_TOKEN", code: "rejected" },
  },
});
const database = {
  connector: turso,
  startEmulator,
  client: libsqlTestClient({ url: "TURSO_DATABASE_URL", token: "TURSO_AUTH_TOKEN" }),
};
testDatabase(database);
testDatabaseUpkeep(database);
// The corners are tried beside the code that moves them, in kit/libsql.
testDatabaseContent({
  ...database,
  samples: [
    {
      what: "an app's tables",
      statements: [
        "CREATE TABLE authors (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE)",
        "CREATE TABLE notes (id INTEGER PRIMARY KEY, author INTEGER REFERENCES authors (id), body TEXT, weight REAL)",
        "CREATE VIRTUAL TABLE found USING fts5 (body, content = 'notes', content_rowid = 'id')",
        "CREATE TRIGGER notes_found AFTER INSERT ON notes BEGIN INSERT INTO found (rowid, body) VALUES (new.id, new.body); END",
        "INSERT INTO authors (name) VALUES ('one'), ('two')",
        "INSERT INTO notes VALUES (1, 2, 'green tea', 0.1), (2, 1, NULL, 9e999)",
      ],
    },
    {
      what: "vectors",
      statements: [
        "CREATE TABLE pictures (id INTEGER PRIMARY KEY, place F32_BLOB(3))",
        "INSERT INTO pictures VALUES (1, vector32('[1,2,3]'))",
        "CREATE INDEX pictures_place ON pictures (libsql_vector_idx(place))",
      ],
    },
  ],
});
