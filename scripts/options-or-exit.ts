/**
 * What a command of the scripts was asked to do. Ends the process after its help (0), or after a sentence about a
 * wrong option (2).
 */
export function optionsOrExit<Options extends object>(
  read: (argv: readonly string[]) => Options | "help",
  help: string,
): Options {
  try {
    const options = read(process.argv.slice(2));
    if (options !== "help") return options;
    console.log(help);
    process.exit(0);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${help}`);
    process.exit(2);
  }
}
