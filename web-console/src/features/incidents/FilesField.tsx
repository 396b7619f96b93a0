import "./files.css";

import { AudioOutlined, CameraOutlined, PaperClipOutlined } from "@ant-design/icons";
import { App, Button } from "antd";
import { useRef } from "react";
import { useTranslation } from "react-i18next";

import { clockOf } from "../../ui/time";
import { useNow } from "../../ui/useNow";
import { MAX_FILE_BYTES } from "./uploads";
import { CAN_RECORD, useRecorder } from "./useRecorder";

const TAKEN = "image/*,audio/*,video/mp4,video/webm,video/quicktime,.pdf,.docx,.xlsx,.pptx";

/** Takes a photo, records a voice note, or chooses files. */
export function FilesField({ onFiles }: { onFiles: (files: readonly File[]) => void }) {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const camera = useRef<HTMLInputElement>(null);
  const chooser = useRef<HTMLInputElement>(null);

  function take(list: FileList | readonly File[] | null) {
    const files = [...(list ?? [])];
    const fitting = files.filter((file) => file.size <= MAX_FILE_BYTES);
    if (fitting.length < files.length) void message.error(t("incident.files.tooLarge"));
    if (fitting.length > 0) onFiles(fitting);
  }

  function taken(input: HTMLInputElement) {
    take(input.files);
    input.value = ""; // the same file may be chosen again
  }

  return (
    <div className="files-field" role="group" aria-label={t("incident.files.add")}>
      <input
        ref={camera}
        type="file"
        accept="image/*"
        capture="environment"
        hidden
        data-testid="files-camera"
        onChange={(event) => taken(event.currentTarget)}
      />
      <input
        ref={chooser}
        type="file"
        accept={TAKEN}
        multiple
        hidden
        data-testid="files-chooser"
        onChange={(event) => taken(event.currentTarget)}
      />
      <Button icon={<CameraOutlined aria-hidden />} data-testid="files-photo" onClick={() => camera.current?.click()}>
        {t("incident.files.photo")}
      </Button>
      {CAN_RECORD && <VoiceNote onNote={(note) => take([note])} />}
      <Button icon={<PaperClipOutlined aria-hidden />} data-testid="files-choose" onClick={() => chooser.current?.click()}>
        {t("incident.files.choose")}
      </Button>
    </div>
  );
}

function VoiceNote({ onNote }: { onNote: (note: File) => void }) {
  const { t } = useTranslation();
  const { state, since, failed, start, stop } = useRecorder(onNote);
  const recording = state === "recording";
  return (
    <>
      <Button
        icon={<AudioOutlined aria-hidden />}
        danger={recording}
        type={recording ? "primary" : "default"}
        loading={state === "asking"}
        aria-pressed={recording}
        data-testid="files-voice"
        data-state={state}
        onClick={recording ? stop : start}
      >
        {recording ? t("incident.files.voiceStop") : t("incident.files.voice")}
        {since !== null && <Elapsed since={since} />}
      </Button>
      {failed && <span role="alert">{t("incident.files.voiceFailed")}</span>}
    </>
  );
}

function Elapsed({ since }: { since: number }) {
  const now = useNow(500);
  return <span className="ld-number"> {clockOf(Math.max(0, now - since))}</span>;
}
