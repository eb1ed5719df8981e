import { useState } from "react";
import type { Failure } from "../api/request.ts";
import { readReceipts } from "../api/transfers.ts";
import { saveFile } from "../handoff/save-file.ts";
import { useSettings } from "../state/settings.tsx";
import { Button } from "../ui/button.tsx";
import { FailureNotice } from "../ui/failure-notice.tsx";
import { Icon } from "../ui/icon.tsx";
import { useAnnounce } from "../ui/live-region.tsx";

const fileName = "keyloan-receipts.json";

/** The signed receipts of what was moved, as a file. */
export function Receipts() {
  const { settle } = useSettings();
  const announce = useAnnounce();
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const download = async () => {
    setBusy(true);
    try {
      const text = JSON.stringify(await readReceipts(), null, 2);
      saveFile(fileName, new Blob([`${text}\n`], { type: "application/json" }));
      setFailure(undefined);
      announce(`${fileName} has been downloaded.`);
    } catch (error) {
      setFailure(await settle(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <Button small busy={busy} onClick={download}>
        {!busy && <Icon name="download" />}
        Download the receipt
      </Button>
      {failure !== undefined && <FailureNotice failure={failure} />}
    </>
  );
}
