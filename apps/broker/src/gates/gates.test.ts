import type { EnvVarSpec } from "@keyloan/contract";
import { describe, expect, it } from "vitest";
import { browserNames } from "./browser-names.ts";
import { durableDatabase } from "./durable-database.ts";
import { envFiles } from "./env-files.ts";
import type { Gate, GateFinding, GateInput } from "./gate.ts";
import { keysChecked } from "./keys-checked.ts";
import { matchingPairs } from "./matching-pairs.ts";
import { noneOurs } from "./none-ours.ts";
import { oneMode } from "./one-mode.ts";
import { publicAddress } from "./public-address.ts";
import { requiredVariables } from "./required-variables.ts";
import { rightShapes } from "./right-shapes.ts";
import { gates } from "./run-gates.ts";
import { type ConnectorChange, gateInput, specs, validCheck } from "./testing/gate-input.ts";
import { webhookSecret } from "./webhook-secret.ts";

type Changes = Parameters<typeof gateInput>[0];
type Expected = {
  readonly status?: "warn" | "fail";
  readonly connector?: string;
  readonly variable?: string;
  readonly text?: string;
};

const ask = async (gate: Gate, input: GateInput) => gate.ask(input);

/** What one finding must be: where, how grave, in which words, and with a remedy. */
function expectOne(found: readonly GateFinding[], { status = "fail", text = "", ...place }: Expected) {
  expect(found).toHaveLength(1);
  expect(found[0]).toMatchObject({ status, ...place });
  expect(found[0]?.message).toContain(text);
  expect(found[0]?.remedy).toMatch(/\w.*[.\w]$/);
  // Every secret of these tests ends so.
  expect(JSON.stringify(found)).not.toMatch(/_abcd|canary/);
}

const lent: ConnectorChange = { source: "org", check: undefined };

describe.each(gates.map((gate) => [gate.name, gate] as const))("%s", (_name, gate) => {
  it("lets the user's own good keys pass", async () => expect(await ask(gate, gateInput())).toEqual([]));

  it("lets a build pass that has no services", async () => {
    expect(await ask(gate, { ...gateInput(), connectors: [] })).toEqual([]);
  });

  // Its whole point is a lent database beside real payments.
  it.skipIf(gate === durableDatabase)(
    "lets lent keys pass in services the user leaves as they are",
    async () => {
      const input = gateInput(
        { data: { ...lent, values: { DATA_URL: "http://127.0.0.1:8081" } } },
        { isOurs: (value) => value.reveal() === "not asked of lent keys" },
      );
      expect(await ask(gate, input)).toEqual([]);
    },
  );
});

describe("required_variables", () => {
  it.each<[string, Changes, Expected]>([
    [
      "a missing key",
      { pay: { values: { PAY_SECRET: undefined } } },
      { connector: "pay", variable: "PAY_SECRET", text: "“Secret key” is missing" },
    ],
    [
      "a blank key",
      { auth: { values: { AUTH_SECRET: " \n" } } },
      { connector: "auth", variable: "AUTH_SECRET" },
    ],
    [
      "a made value that was not made",
      { data: { values: { DATA_SIGNING: undefined } } },
      { variable: "DATA_SIGNING" },
    ],
    [
      "a gap among lent keys",
      { auth: { ...lent, values: { AUTH_SECRET: undefined } } },
      { connector: "auth" },
    ],
  ])("refuses %s", async (_what, changes, expected) =>
    expectOne(await ask(requiredVariables, gateInput(changes)), expected),
  );

  it("asks for nothing that is optional, has a default or only lent keys have", async () => {
    const values = { DATA_REGION: undefined, DATA_SESSION: undefined };
    expect(
      await ask(requiredVariables, gateInput({ data: { values }, pay: { values: { PAY_HOOK: undefined } } })),
    ).toEqual([]);
  });
});

describe("right_shapes", () => {
  it.each<[string, Changes, Expected]>([
    [
      "a value of another form",
      { pay: { values: { PAY_SECRET: "canary" } } },
      { variable: "PAY_SECRET", text: "does not look like" },
    ],
    [
      "the wrong key of the pair",
      { pay: { values: { PAY_SECRET: "pk_live_abcd" } } },
      { variable: "PAY_SECRET", text: "This is “Publishable key”" },
    ],
    [
      "a name the service does not have",
      { auth: { values: { OTHER: "canary" } } },
      { connector: "auth", variable: "OTHER" },
    ],
  ])("refuses %s", async (_what, changes, expected) =>
    expectOne(await ask(rightShapes, gateInput(changes)), expected),
  );

  it("names every place", async () => {
    const input = gateInput({
      pay: { values: { PAY_SECRET: "x", PAY_PUBLIC: "y" } },
      auth: { values: { AUTH_SECRET: "z" } },
    });
    expect((await ask(rightShapes, input)).map(({ variable }) => variable)).toEqual([
      "PAY_SECRET",
      "PAY_PUBLIC",
      "AUTH_SECRET",
    ]);
  });
});

describe("matching_pairs", () => {
  const invalid = {
    status: "invalid",
    envVar: "PAY_PUBLIC",
    message: "another account",
    remedy: "Take both from one.",
  } as const;
  it.each<[string, ConnectorChange, Expected]>([
    [
      "a live key beside a test key",
      { values: { PAY_PUBLIC: "pk_test_abcd" } },
      { text: "“Secret key” is a live key and “Publishable key” is a test key" },
    ],
    [
      "keys of another mode than the account's",
      { check: { ...validCheck, mode: "test" } },
      { text: "answered in test mode" },
    ],
    [
      "keys of two accounts",
      { check: { ...invalid, code: "wrong_pair" } },
      { variable: "PAY_PUBLIC", text: "another account" },
    ],
    [
      "a mode the provider refuses",
      { check: { ...invalid, code: "wrong_mode" } },
      { variable: "PAY_PUBLIC" },
    ],
  ])("refuses %s", async (_what, pay, expected) => {
    expectOne(await ask(matchingPairs, gateInput({ pay })), { connector: "pay", ...expected });
  });

  it("leaves other refusals to the gate that is for them", async () => {
    expect(await ask(matchingPairs, gateInput({ pay: { check: { ...invalid, code: "rejected" } } }))).toEqual(
      [],
    );
  });
});

describe("none_ours", () => {
  it("refuses a lent key given as one's own", async () => {
    const isOurs = async (value: { reveal: () => string }) => value.reveal() === "sk_live_abcd";
    expectOne(await ask(noneOurs, gateInput({}, { isOurs })), {
      connector: "pay",
      variable: "PAY_SECRET",
      text: "we lent you",
    });
  });

  it("asks about secrets alone", async () => {
    const asked: string[] = [];
    await ask(noneOurs, gateInput({}, { isOurs: (value) => asked.push(value.reveal()) < 0 }));
    expect(asked).not.toContain("pk_live_abcd");
    expect(asked).not.toContain("libsql://data.example.com");
    expect(asked).toEqual(expect.arrayContaining(["sk_live_abcd", "whsec_abcd", "token", "ak_live_abcd"]));
  });

  it("breaks rather than passes when it cannot be asked", async () => {
    const isOurs = () => Promise.reject(new Error("no store"));
    await expect(ask(noneOurs, gateInput({}, { isOurs }))).rejects.toThrow("no store");
  });
});

describe("keys_checked", () => {
  it.each<[string, ConnectorChange, Expected]>([
    ["keys nobody has checked", { check: undefined }, { text: "have not been checked yet" }],
    [
      "keys that could not be checked",
      { check: { status: "undetermined", code: "timeout", message: "Auth was slow." } },
      { text: "Auth was slow." },
    ],
    [
      "an address that may not be asked",
      { check: { status: "undetermined", code: "blocked_address", message: "It is inner." } },
      { text: "It is inner." },
    ],
    [
      "keys that were refused",
      {
        check: {
          status: "invalid",
          envVar: "AUTH_SECRET",
          code: "rejected",
          message: "refused",
          remedy: "Copy it.",
        },
      },
      { variable: "AUTH_SECRET", text: "refused" },
    ],
  ])("refuses %s", async (_what, auth, expected) => {
    expectOne(await ask(keysChecked, gateInput({ auth })), { connector: "auth", ...expected });
  });
});

describe("one_mode", () => {
  const testAuth = { AUTH_SECRET: "ak_test_abcd" };
  const testPay = { PAY_SECRET: "sk_test_abcd", PAY_PUBLIC: "pk_test_abcd" };
  it.each<[string, Changes, Expected]>([
    [
      "the user's test keys beside live ones",
      { auth: { values: testAuth } },
      { connector: "auth", text: "Auth would work with test keys while Pay works with live ones" },
    ],
    ["lent test keys beside live ones", { auth: { ...lent, values: testAuth } }, { connector: "auth" }],
    [
      "a mode that only the provider told",
      { data: { check: { ...validCheck, mode: "test" } }, auth: { values: { AUTH_SECRET: undefined } } },
      { connector: "data" },
    ],
  ])("refuses %s", async (_what, changes, expected) =>
    expectOne(await ask(oneMode, gateInput(changes)), expected),
  );

  it("warns of test keys alone", async () => {
    const found = await ask(oneMode, gateInput({ auth: { values: testAuth }, pay: { values: testPay } }));
    expectOne(found, { status: "warn", text: "Pay, Auth: these are test keys" });
  });

  it("has nothing against services without modes", async () => {
    const input = gateInput();
    const connectors = input.connectors.filter(({ spec }) => spec.category === "database");
    expect(await ask(oneMode, { ...input, connectors })).toEqual([]);
  });
});

describe("webhook_secret", () => {
  const testPay = { PAY_SECRET: "sk_test_abcd", PAY_PUBLIC: "pk_test_abcd" };
  it.each<[string, Changes, Expected]>([
    [
      "refuses live payments without it",
      { pay: { values: { PAY_HOOK: undefined } } },
      { status: "fail", text: "fake" },
    ],
    ["refuses live payments with a blank one", { pay: { values: { PAY_HOOK: " " } } }, { status: "fail" }],
    [
      "warns of test payments without it",
      { pay: { values: { ...testPay, PAY_HOOK: undefined } } },
      { status: "warn", text: "That is fine for tests" },
    ],
    [
      "warns where nothing tells the mode",
      { pay: { values: { PAY_SECRET: undefined, PAY_PUBLIC: undefined, PAY_HOOK: undefined } } },
      { status: "warn" },
    ],
    [
      "believes the provider about the mode",
      { pay: { values: { ...testPay, PAY_HOOK: undefined }, check: { ...validCheck, mode: "live" } } },
      { status: "fail" },
    ],
  ])("%s", async (_what, changes, expected) => {
    expectOne(await ask(webhookSecret, gateInput(changes)), {
      connector: "pay",
      variable: "PAY_HOOK",
      ...expected,
    });
  });

  it("does not ask it of services that take no payments", async () => {
    const pay = { values: { PAY_HOOK: undefined }, spec: { category: "auth" } } as const;
    expect(await ask(webhookSecret, gateInput({ pay }))).toEqual([]);
  });
});

describe("public_address", () => {
  it.each([
    ["http://data.example.com", "not encrypted"],
    ["libsql://data.example.com?tls=0", "not encrypted"],
    ["https://127.0.0.1", "same machine"],
    ["libsql://2130706433", "same machine"],
    ["https://192.168.0.7", "private network"],
    ["https://169.254.169.254", "secrets"],
    ["https://db.internal", "only one"],
    ["file:///data.db", "cannot start with"],
    ["https://me:canary@data.example.com", "password"],
    ["data.example.com", "https://"],
  ])("refuses %s", async (DATA_URL, text) => {
    expectOne(await ask(publicAddress, gateInput({ data: { values: { DATA_URL } } })), {
      connector: "data",
      variable: "DATA_URL",
      text,
    });
  });

  it("lets this machine be for development, by setting, and its metadata never", async () => {
    const askFor = (DATA_URL: string) =>
      ask(publicAddress, gateInput({ data: { values: { DATA_URL } } }, { allowPrivateAddresses: true }));
    expect(await askFor("http://127.0.0.1:8081")).toEqual([]);
    expect(await askFor("http://169.254.169.254")).toHaveLength(1);
  });
});

describe("browser_names", () => {
  const withVariable = (variable: EnvVarSpec, value: string) => ({
    pay: { spec: { env: [...specs.pay.env, variable] }, values: { [variable.name]: value } },
  });
  it.each<[string, Changes, Expected]>([
    [
      "a secret's value under a public name",
      { pay: { values: { PAY_PUBLIC: "sk_live_abcd" } } },
      { text: "browsers" },
    ],
    [
      "a secret variable that a framework bundles",
      withVariable({ name: "NEXT_PUBLIC_KEY", label: "Key", secret: true, exposure: "server" }, "canary"),
      { connector: "pay", variable: "NEXT_PUBLIC_KEY", text: "browsers" },
    ],
    [
      "a name that stands for two values",
      withVariable(
        { name: "OTHER", label: "Other", secret: false, exposure: "server", aliases: ["AUTH_SECRET"] },
        "canary",
      ),
      { variable: "AUTH_SECRET", text: "twice" },
    ],
  ])("refuses %s", async (_what, changes, expected) =>
    expectOne(await ask(browserNames, gateInput(changes)), expected),
  );

  it("leaves gaps to the gate that is for them", async () => {
    expect(await ask(browserNames, gateInput({ pay: { values: { PAY_SECRET: undefined } } }))).toEqual([]);
  });
});

describe("env_files", () => {
  const withSigning = (value: string, source: "org" | "user" = "user") =>
    gateInput({ data: { source, values: { DATA_SIGNING: value } } });

  it.each([
    ["a command", "canary$(id)", "contains $(", "json, docker, shell, github, kubernetes, systemd"],
    ["a variable", "canary$HOME", "dollar sign", "json, docker, shell, github, kubernetes, systemd"],
    ["both quotes", 'canary\'s "x"', "mixes quotes", "json, docker, shell, github, kubernetes, systemd"],
    ["a carriage return", "canary\r\nx", "carriage return", "json, shell, github, kubernetes"],
    ["NUL", "canary\0", "NUL", "json"],
  ])(
    "stops a value with %s, with the reason and the formats that carry it",
    async (_what, value, text, formats) => {
      const found = await ask(envFiles, withSigning(value));
      expectOne(found, { connector: "data", variable: "DATA_SIGNING", text });
      expect(found[0]?.message).toContain("“Signing secret”");
      for (const format of formats.split(", ")) expect(found[0]?.remedy).toContain(format);
      expect(found[0]?.remedy).not.toContain("dotenv");
    },
  );

  it("warns of a value that only other formats refuse", async () => {
    const found = await ask(envFiles, withSigning("canary\nof lines"));
    expectOne(found, { status: "warn", variable: "DATA_SIGNING", text: "format docker" });
    expect(found[0]?.remedy).toContain("dotenv");
  });

  it("asks nothing of lent keys", async () => {
    expect(await ask(envFiles, withSigning("canary$(id)", "org"))).toEqual([]);
  });
});

describe("durable_database", () => {
  const testPayments = { pay: { values: { PAY_SECRET: "sk_test_abcd", PAY_PUBLIC: "pk_test_abcd" } } };
  const never = () => Promise.reject(new Error("nobody is asked"));

  it("asks no database while payments are not real", async () => {
    const input = gateInput(testPayments, { probeDurability: never });
    expect(await ask(durableDatabase, input)).toEqual([]);
  });

  it("refuses a lent database beside real payments, without asking it", async () => {
    const found = await ask(durableDatabase, gateInput({ data: lent }, { probeDurability: never }));
    expectOne(found, { connector: "data", text: "only lent" });
  });

  it("refuses a database that forgets, with what was found", async () => {
    const probeDurability: GateInput["probeDurability"] = async () => ({
      steps: [
        { name: "write", ok: true, message: "a row was written" },
        { name: "read_back", ok: false, message: "the row is gone on a new connection" },
      ],
    });
    const found = await ask(durableDatabase, gateInput({}, { probeDurability }));
    expectOne(found, { connector: "data", text: "the row is gone on a new connection" });
  });

  it("refuses a database that does not answer, and asks anew the next time", async () => {
    const answers = ["not_answered", { steps: [] }, "not_answered"] as const;
    let asked = 0;
    const probeDurability: GateInput["probeDurability"] = async () => answers[asked++] ?? "not_answered";
    const input = gateInput({}, { probeDurability });
    expectOne(await ask(durableDatabase, input), { connector: "data", text: "could not be tested" });
    expect(await ask(durableDatabase, input)).toEqual([]);
    expectOne(await ask(durableDatabase, input), { connector: "data" });
  });

  it("refuses one that is nobody's to open beside real payments, and lets it be beside others", async () => {
    const { connectors, ...rest } = gateInput({}, { probeDurability: never });
    const [kept, others] = [true, false].map((isDatabase) =>
      connectors.filter(({ spec }) => (spec.category === "database") === isDatabase),
    );
    const unread = (kept ?? []).map(({ spec }) => spec);
    const found = await ask(durableDatabase, { ...rest, connectors: others ?? [], unread });
    expectOne(found, { connector: "data", text: "the person before you" });
    const tests = gateInput(testPayments).connectors.filter(({ spec }) => spec.category !== "database");
    expect(await ask(durableDatabase, { ...rest, connectors: tests, unread })).toEqual([]);
  });

  it("asks nothing of an app without a database", async () => {
    const input = gateInput();
    const connectors = input.connectors.filter(({ spec }) => spec.category !== "database");
    expect(await ask(durableDatabase, { ...input, connectors, probeDurability: never })).toEqual([]);
  });
});
