import { Collapsible } from "@base-ui/react/collapsible";
import { type ChangeEvent, useEffect, useRef, useState } from "react";
import { count, spokenReport, usePaste } from "../state/paste.tsx";
import { Button } from "../ui/button.tsx";
import { Icon } from "../ui/icon.tsx";
import { Notice } from "../ui/notice.tsx";
import { Mono } from "../ui/prose.tsx";

const fileBytesMax = 256 * 1024;

/** For someone who has the keys in a file already: paste it whole, or choose it. */
export function PastePanel() {
  const { takeText } = usePaste();
  const [open, setOpen] = useState(false);
  const [text, setText] = useState("");
  const [problem, setProblem] = useState<string>();

  const fill = (given: string) => {
    if (takeText(given)) {
      setText("");
      setProblem(undefined);
      setOpen(false);
    } else {
      setProblem("There is no line here that looks like NAME=value.");
    }
  };
  const choose = async (event: ChangeEvent<HTMLInputElement>) => {
    const file = event.target.files?.[0];
    event.target.value = "";
    if (file === undefined) return;
    if (file.size > fileBytesMax) setProblem("This file is too large to be an env file.");
    else fill(await file.text());
  };
  return (
    <Collapsible.Root
      open={open}
      onOpenChange={setOpen}
      className="rounded-card border border-dashed border-edge"
    >
      <Collapsible.Trigger className="flex w-full flex-wrap items-center gap-x-3 gap-y-1 rounded-card p-4 text-left hover:bg-sunken sm:px-5">
        <Icon name="paste" className="size-5 text-ink-3" />
        <span className="font-medium">Paste a whole .env file</span>
        <span className="text-sm text-ink-2">
          If you have your keys in one, we fill in the fields for you.
        </span>
      </Collapsible.Trigger>
      <Collapsible.Panel className="fold">
        <div className="space-y-3 px-4 pb-4 sm:px-5">
          <label htmlFor="pasted-env" className="block text-sm font-medium">
            The file’s content
          </label>
          <textarea
            id="pasted-env"
            value={text}
            rows={6}
            autoComplete="off"
            spellCheck={false}
            aria-describedby="pasted-env-message"
            aria-invalid={problem === undefined ? undefined : true}
            onChange={(event) => setText(event.target.value)}
            className="block w-full rounded-control border border-edge bg-surface p-3 font-mono text-sm"
          />
          <p id="pasted-env-message" className="min-h-5 text-sm text-ink-3">
            {problem === undefined ? (
              "It stays on this page until you press “Check and save”; you can also paste it anywhere on the page."
            ) : (
              <span className="text-bad">{problem}</span>
            )}
          </p>
          <div className="flex flex-wrap gap-3">
            <Button look="primary" onClick={() => fill(text)} off={text.trim() === ""}>
              Fill in the fields
            </Button>
            <label className="inline-flex min-h-10 items-center rounded-control border border-edge bg-surface px-4 font-medium transition-colors focus-within:outline-2 focus-within:outline-offset-2 focus-within:outline-accent hover:bg-sunken">
              Choose a file
              <input type="file" className="sr-only" onChange={choose} />
            </label>
          </div>
        </div>
      </Collapsible.Panel>
    </Collapsible.Root>
  );
}

/** Where pasted lines went, and which were of no use here. */
export function PasteReportNotice() {
  const { report, dismiss } = usePaste();
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (report !== undefined) box.current?.focus();
  }, [report]);
  if (report === undefined) return null;
  const { fieldCount, unknown, unneeded, doubled, unreadableLines } = report;
  return (
    <Notice
      ref={box}
      tone={fieldCount > 0 ? "accent" : "warn"}
      icon="paste"
      title={spokenReport({ fieldCount, unknown: [] }, report.services.length)}
      actions={
        <Button small onClick={dismiss}>
          Close
        </Button>
      }
    >
      {fieldCount > 0 && <p>Nothing has been sent yet: check the cards below.</p>}
      <NameList intro={`${count(unknown.length, "name")} not used here:`} names={unknown} />
      <NameList
        intro="Not needed, because we make it for you or because it ends with the lent keys:"
        names={unneeded}
      />
      <NameList
        intro="Left out, because another line gives the same field a different value:"
        names={doubled}
      />
      {unreadableLines.length > 0 && (
        <p>
          We could not read {unreadableLines.length === 1 ? "line" : "lines"} {unreadableLines.join(", ")}.
        </p>
      )}
    </Notice>
  );
}

function NameList({ intro, names }: { readonly intro: string; readonly names: readonly string[] }) {
  if (names.length === 0) return null;
  return (
    <div>
      <p>{intro}</p>
      <ul className="flex flex-wrap gap-x-3">
        {names.map((name) => (
          <li key={name}>
            <Mono>{name}</Mono>
          </li>
        ))}
      </ul>
    </div>
  );
}
