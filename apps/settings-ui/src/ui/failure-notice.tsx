import type { ReactNode, Ref } from "react";
import type { Failure } from "../api/request.ts";
import { Details } from "./details.tsx";
import { Notice } from "./notice.tsx";
import { Prose, sentence } from "./prose.tsx";

/** What went wrong and what to do; what support needs is folded away. */
export function FailureNotice({
  failure,
  actions,
  ref,
}: {
  readonly failure: Failure;
  readonly actions?: ReactNode;
  readonly ref?: Ref<HTMLDivElement>;
}) {
  return (
    <Notice
      tone="warn"
      title={sentence(failure.message)}
      {...(actions === undefined ? {} : { actions })}
      {...(ref === undefined ? {} : { ref })}
    >
      {failure.remedy !== undefined && (
        <p>
          <Prose text={sentence(failure.remedy)} />
        </p>
      )}
      <ForSupport
        code={failure.code}
        {...(failure.requestId === undefined ? {} : { requestId: failure.requestId })}
      />
    </Notice>
  );
}

export function ForSupport({ code, requestId }: { readonly code: string; readonly requestId?: string }) {
  return (
    <Details label="For support">
      <p className="font-mono text-sm break-all">
        {code}
        {requestId !== undefined && (
          <>
            <br />
            {requestId}
          </>
        )}
      </p>
    </Details>
  );
}
