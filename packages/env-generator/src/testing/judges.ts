import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

type Judge = (text: string) => Readonly<Record<string, string>>;

const pythonScript = "import json, sys, dotenv; print(json.dumps(dotenv.dotenv_values(sys.argv[1])))";

const composeModule = "github.com/compose-spec/compose-go/v2";
const composeProgram = `package main

import (
	"encoding/json"
	"os"

	"${composeModule}/dotenv"
)

func main() {
	file, err := os.Open(os.Args[1])
	if err != nil {
		panic(err)
	}
	none := func(string) (string, bool) { return "", false }
	values, err := dotenv.ParseWithLookup(file, none)
	if err != nil {
		panic(err)
	}
	json.NewEncoder(os.Stdout).Encode(values)
}
`;

const javaPackage = "io.github.cdimascio:dotenv-java:3.2.0";
const javaProgram = `import io.github.cdimascio.dotenv.Dotenv;

public class Read {
  public static void main(String[] args) {
    Dotenv file = Dotenv.configure().directory(args[0]).filename("judged.env").load();
    for (var entry : file.entries(Dotenv.Filter.DECLARED_IN_ENV_FILE)) {
      System.out.println(entry.getKey() + "=" + entry.getValue());
    }
  }
}
`;

/** python-dotenv; `undefined` if python3 does not have it. */
export function pythonReader(folder: string): Judge | undefined {
  return judge("python-dotenv", "Install it with pip.", () => {
    run("python3", ["-c", "import dotenv"], folder);
    return (text) => JSON.parse(run("python3", ["-c", pythonScript, judgedFile(folder, text)], folder));
  });
}

/** The parser with which Docker Compose reads `env_file`, built with Go; `undefined` if that fails. */
export function composeReader(folder: string): Judge | undefined {
  return judge("compose-go", "It takes Go and its module proxy.", () => {
    const module = join(folder, "compose");
    mkdirSync(module);
    writeFileSync(join(module, "main.go"), composeProgram);
    run("go", ["mod", "init", "judge"], module);
    run("go", ["get", `${composeModule}/dotenv@v2.16.2`], module);
    run("go", ["build", "-o", "judge", "."], module);
    return (text) => JSON.parse(run(join(module, "judge"), [judgedFile(folder, text)], folder));
  });
}

/** dotenv-java, whose parser expects one line per variable; `undefined` if it cannot be installed. */
export function dotenvJavaReader(folder: string): Judge | undefined {
  return judge("dotenv-java", "It takes Java, Maven and its registry.", () => {
    const copy = `-Dartifact=${javaPackage}`;
    run("mvn", ["-q", "dependency:get", copy], folder);
    run("mvn", ["-q", "dependency:copy", copy, `-DoutputDirectory=${folder}`], folder);
    writeFileSync(join(folder, "Read.java"), javaProgram);
    const jar = join(folder, "dotenv-java-3.2.0.jar");
    return (text) => {
      judgedFile(folder, text);
      const printed = run("java", ["-cp", jar, join(folder, "Read.java"), folder], folder)
        .trimEnd()
        .split("\n");
      return Object.fromEntries(
        printed.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
      );
    };
  });
}

function judge(name: string, need: string, make: () => Judge): Judge | undefined {
  try {
    return make();
  } catch {
    console.log(`${name}: skipped. ${need}`);
    return undefined;
  }
}

function judgedFile(folder: string, text: string): string {
  const file = join(folder, "judged.env");
  writeFileSync(file, text);
  return file;
}

function run(program: string, args: readonly string[], cwd: string): string {
  return execFileSync(program, args, { cwd, stdio: "pipe", maxBuffer: 64 * 1024 * 1024 }).toString();
}
