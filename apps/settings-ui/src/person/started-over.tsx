import { Notice } from "../ui/notice.tsx";
import { Moment } from "../ui/time.tsx";

/** Tells who was the person of an app that somebody else has become it: when, and from where. */
export function StartedOver({
  app,
  at,
  from,
}: {
  readonly app: string;
  readonly at: string;
  readonly from?: string | undefined;
}) {
  return (
    <Notice tone="warn" title={`Somebody started over with “${app}”`}>
      <p>
        <FromWhere at={at} from={from} />. This browser and your recovery code no longer open it.
      </p>
      <p>
        If that was not you, tell the people who sent you the link, and make new keys at the services whose
        keys you had saved here.
      </p>
    </Notice>
  );
}

export function FromWhere({ at, from }: { readonly at: string; readonly from?: string | undefined }) {
  return (
    <>
      It happened <Moment on at={at} />
      {from !== undefined && (
        <>
          , from the address <span className="font-mono text-sm break-all">{from}</span>
        </>
      )}
    </>
  );
}
