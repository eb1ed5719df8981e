import { useId, useState } from "react";
import { Button } from "../ui/button.tsx";
import { lowerFirst } from "./check-draft.ts";
import { type FieldListProps, OneField } from "./one-field.tsx";
import type { Variable } from "./services.ts";

/** Variables whose names begin alike: those that are there, and a way to add one. */
export function FamilyFields(props: FieldListProps & { readonly family: Variable }) {
  const { family, draft, problems, onChange, locked } = props;
  const [ending, setEnding] = useState("");
  const inputId = useId();
  const names = [...Object.keys(draft), ...problems.map(({ name }) => name)].filter(
    (name) => name.startsWith(family.name) && name.length > family.name.length,
  );
  const cleaned = ending
    .trim()
    .toUpperCase()
    .replace(/[^A-Z0-9_]/g, "_");
  const add = () => {
    if (cleaned === "") return;
    onChange(family.name + cleaned, "");
    setEnding("");
  };
  return (
    <div className="space-y-5">
      {[...new Set(names)].map((name) => (
        <OneField key={name} {...props} name={name} variable={{ ...family, label: name }} />
      ))}
      <div>
        <label htmlFor={inputId} className="font-semibold">
          Add a {lowerFirst(family.label)}
        </label>
        {family.help !== undefined && <p className="mt-0.5 text-sm text-ink-2">{family.help}</p>}
        <div className="mt-1.5 flex flex-wrap gap-3">
          <div className="flex min-w-0 flex-1 flex-col items-stretch rounded-control sm:flex-row border border-edge bg-surface focus-within:outline-2 focus-within:outline-offset-1 focus-within:outline-accent">
            <span className="flex items-center border-b border-line bg-sunken px-3 py-1 font-mono sm:border-r sm:border-b-0 text-sm text-ink-2">
              {family.name}
            </span>
            <input
              id={inputId}
              value={ending}
              readOnly={locked}
              autoComplete="off"
              spellCheck={false}
              onChange={(event) => setEnding(event.target.value)}
              onKeyDown={(event) => {
                if (event.key !== "Enter") return;
                event.preventDefault();
                add();
              }}
              className="min-h-10 w-full min-w-0 sm:w-20 flex-1 bg-transparent px-3 font-mono text-sm uppercase outline-none"
            />
          </div>
          <Button onClick={add} off={cleaned === "" || locked}>
            Add
          </Button>
        </div>
      </div>
    </div>
  );
}
