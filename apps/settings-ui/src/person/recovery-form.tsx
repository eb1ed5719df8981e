import { type ClipboardEvent, type FormEvent, useId, useRef, useState } from "react";
import type { Failure } from "../api/request.ts";
import { Button } from "../ui/button.tsx";
import { classes } from "../ui/classes.ts";
import { Icon } from "../ui/icon.tsx";
import { Prose, sentence } from "../ui/prose.tsx";
import { recoveryCodeIn } from "./recovery-text.ts";

const notWhole = "This is not a complete recovery code: a code has nine groups of six characters.";

/** Opens the page with a recovery code, however it was kept: the whole file, with spaces, in capitals. */
export function RecoveryForm({
  onOpen,
}: {
  /** Gives back why it did not open. */
  readonly onOpen: (recovery: string) => Promise<Failure | undefined>;
}) {
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const input = useRef<HTMLInputElement>(null);
  const id = useId();

  const refuse = (told: string) => {
    setProblem(told);
    input.current?.focus();
  };
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (busy) return;
    const code = recoveryCodeIn(text);
    if (code === undefined) return refuse(text.trim() === "" ? "Enter your recovery code." : notWhole);
    setBusy(true);
    const failure = await onOpen(code);
    setBusy(false);
    if (failure !== undefined) refuse(`${sentence(failure.message)} ${sentence(failure.remedy ?? "")}`);
  };
  const onPaste = (event: ClipboardEvent<HTMLInputElement>) => {
    const pasted = event.clipboardData.getData("text");
    // A field of one line would run the lines of a pasted file together.
    if (!pasted.includes("\n")) return;
    event.preventDefault();
    setText(recoveryCodeIn(pasted) ?? pasted.trim());
    setProblem(undefined);
  };
  return (
    <form noValidate autoComplete="off" onSubmit={submit} className="space-y-3">
      <div>
        <label htmlFor={id} className="font-semibold">
          Recovery code
        </label>
        <p id={`${id}-help`} className="mt-0.5 text-sm text-ink-2">
          We showed it to you when you first saved keys. You can ignore capitals, spaces and dashes.
        </p>
        <input
          id={id}
          ref={input}
          name="recovery"
          value={text}
          readOnly={busy}
          onChange={(event) => {
            setText(event.target.value);
            setProblem(undefined);
          }}
          onPaste={onPaste}
          aria-invalid={problem === undefined ? undefined : true}
          aria-describedby={`${id}-help ${id}-message`}
          autoComplete="off"
          autoCapitalize="off"
          autoCorrect="off"
          spellCheck={false}
          className={classes(
            "mt-1.5 block min-h-10 w-full rounded-control border bg-surface px-3 font-mono text-sm",
            problem === undefined ? "border-edge" : "border-bad",
          )}
        />
        <div id={`${id}-message`} role="alert" className="mt-1 min-h-5 text-sm">
          {problem !== undefined && (
            <p className="flex gap-1.5 text-bad">
              <Icon name="alert" className="mt-0.5" />
              <span className="min-w-0 break-words">
                <span className="sr-only">Error: </span>
                <Prose text={problem} />
              </span>
            </p>
          )}
        </div>
      </div>
      <Button type="submit" busy={busy}>
        {busy ? "Opening…" : "Open with this code"}
      </Button>
    </form>
  );
}
