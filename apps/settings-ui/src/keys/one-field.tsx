import type { Draft, FieldProblem } from "./check-draft.ts";
import { fieldId } from "./field-id.ts";
import { KeyField } from "./key-field.tsx";
import type { Service, Variable } from "./services.ts";

export type FieldListProps = {
  readonly service: Service;
  readonly draft: Draft;
  readonly problems: readonly FieldProblem[];
  readonly locked: boolean;
  readonly onChange: (name: string, value: string) => void;
  readonly onPasteText: (text: string, into: string) => boolean;
};

export function OneField({
  service,
  draft,
  problems,
  locked,
  onChange,
  onPasteText,
  name,
  variable,
}: FieldListProps & { readonly name: string; readonly variable: Variable }) {
  const problem = problems.find((found) => found.name === name);
  const preset = variable.own?.kind === "default" ? variable.own.value : "";
  return (
    <KeyField
      id={fieldId(service.id, name)}
      name={name}
      variable={variable}
      value={draft[name] ?? preset}
      savedPreview={service.binding.saved?.fields.find((field) => field.name === name)?.preview}
      error={problem?.message}
      locked={locked}
      onChange={(value) => onChange(name, value)}
      onPasteText={onPasteText}
    />
  );
}
