import type { EnvFormat, EnvProfile } from "@keyloan/contract";
import { useEffect, useState } from "react";
import { fetchEnvFile, previewEnvFile } from "../api/calls.ts";
import type { Failure } from "../api/request.ts";
import { useSettings } from "../state/settings.tsx";
import { Button } from "../ui/button.tsx";
import { Details } from "../ui/details.tsx";
import { FailureNotice } from "../ui/failure-notice.tsx";
import { Icon } from "../ui/icon.tsx";
import { useAnnounce } from "../ui/live-region.tsx";
import { RadioCards } from "../ui/radio-cards.tsx";
import { formatChoices, profileChoices } from "./env-choices.ts";
import { saveFile } from "./save-file.ts";

/** The person's own env file: what kind, a look inside with every value hidden, and the download. */
export function EnvFile() {
  const { settings, settle, refresh } = useSettings();
  const announce = useAnnounce();
  const [profile, setProfile] = useState<EnvProfile>(settings.build.profile);
  const [format, setFormat] = useState<EnvFormat>("dotenv");
  const [preview, setPreview] = useState("");
  const [failure, setFailure] = useState<Failure>();
  const [busy, setBusy] = useState(false);
  const [savedAs, setSavedAs] = useState<string>();
  const { version } = settings;

  // Another version of the settings is another file.
  useEffect(() => {
    let stale = false;
    setSavedAs(undefined);
    previewEnvFile({ format, profile }).then(
      (text) => {
        if (stale) return;
        setPreview(text);
        setFailure(undefined);
      },
      async (error) => {
        const told = await settle(error);
        if (!stale) setFailure(told);
      },
    );
    return () => {
      stale = true;
    };
  }, [format, profile, version, settle]);

  const download = async () => {
    setBusy(true);
    try {
      const { name, content } = await fetchEnvFile({ format, profile });
      saveFile(name, content);
      setSavedAs(name);
      setFailure(undefined);
      announce(`${name} has been downloaded.`);
      await refresh();
    } catch (error) {
      setFailure(await settle(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <section className="space-y-6">
      <RadioCards
        legend="What is your app made with?"
        choices={profileChoices}
        value={profile}
        onChange={setProfile}
      />
      <Details label={`Another format (now: ${formatChoices.find(({ value }) => value === format)?.label})`}>
        <RadioCards legend="File format" choices={formatChoices} value={format} onChange={setFormat} />
      </Details>
      <div>
        <h2 className="mb-2 font-semibold" id="preview-title">
          What is in it
        </h2>
        <section
          aria-labelledby="preview-title"
          // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with the keyboard
          tabIndex={0}
          className="h-64 overflow-auto rounded-card border border-line bg-sunken p-4"
        >
          <pre className="font-mono text-sm">{preview}</pre>
        </section>
        <p className="mt-2 text-sm text-ink-3">Values are hidden here; the file contains them.</p>
      </div>
      {failure !== undefined && <FailureNotice failure={failure} />}
      <div className="space-y-2">
        <Button look="primary" busy={busy} onClick={download}>
          {!busy && <Icon name="download" />}
          {busy ? "Preparing…" : "Download the file"}
        </Button>
        <p className="min-h-12 text-sm text-ink-2">
          {savedAs === undefined
            ? "Anyone who has this file can use your accounts. Do not put it in email, chat or public code."
            : `The file should be called ${savedAs}; some browsers leave out the first dot, so add it again. Do not put the file in email, chat or public code.`}
        </p>
      </div>
    </section>
  );
}
