import "./files.css";

import { FileOutlined, PictureOutlined, ReloadOutlined, SoundOutlined, VideoCameraOutlined } from "@ant-design/icons";
import { Button, Spin } from "antd";
import { useEffect, useMemo } from "react";
import { useTranslation } from "react-i18next";

import type { Dossier } from "../../protocol/generated/Dossier";
import type { IncidentFile } from "../../protocol/generated/IncidentFile";
import type { IncidentId } from "../../protocol/generated/IncidentId";
import { FilesField } from "./FilesField";
import { addressOf, type FileKind, kindOf, sizeWords } from "./files";
import { again, giveUp, type Upload, upload, useUploads } from "./uploads";

/** What was photographed, said and written about the incident; and a way to add to it. */
export function Files({ dossier }: { dossier: Dossier }) {
  const { t } = useTranslation();
  const { id } = dossier.incident;
  return (
    <section className="files" aria-label={t("incident.files.title")} data-testid="incident-files" data-count={dossier.files.length}>
      <h3>{t("incident.files.title")}</h3>
      {dossier.files.length > 0 && (
        <ul className="files-list">
          {dossier.files.map((file) => (
            <li key={file.id} data-kind={kindOf(file.mediaType)}>
              <OneFile incident={id} file={file} />
            </li>
          ))}
        </ul>
      )}
      <Uploads incident={id} />
      <FilesField onFiles={(files) => upload(id, files)} />
    </section>
  );
}

function OneFile({ incident, file }: { incident: IncidentId; file: IncidentFile }) {
  const { t } = useTranslation();
  const address = addressOf(incident, file);
  const kind = kindOf(file.mediaType);
  const name = file.name === "" ? t(`incident.files.kind.${kind}`) : file.name;
  switch (kind) {
    case "photo":
      return (
        <a href={address} target="_blank" rel="noreferrer" title={name}>
          <img src={address} alt={name} loading="lazy" data-testid="file-photo" />
        </a>
      );
    case "sound":
      return (
        <figure>
          <figcaption>
            <SoundOutlined aria-hidden /> {name}
          </figcaption>
          <audio controls preload="none" src={address} aria-label={name} data-testid="file-sound" />
        </figure>
      );
    case "film":
      return <video controls preload="metadata" src={address} aria-label={name} data-testid="file-film" />;
    case "document":
      return (
        <a href={address} download={name} className="file-document" data-testid="file-document">
          <FileOutlined aria-hidden /> {name} <small className="ld-number">{sizeWords(file.bytes)}</small>
        </a>
      );
    default:
      return kind satisfies never;
  }
}

/** Those that are on their way to this incident. */
export function Uploads({ incident }: { incident: IncidentId }) {
  const { t } = useTranslation();
  const all = useUploads(({ uploads }) => uploads);
  const uploads = useMemo(() => all.filter((one) => one.incident === incident), [all, incident]);
  if (uploads.length === 0) return null;
  return (
    <ul className="uploads" data-testid="uploads" aria-live="polite">
      {uploads.map((one) => (
        <li key={one.number} data-failed={one.failure !== null}>
          <KindIcon kind={kindOf(one.file.type)} />
          <span>{one.file.name}</span>
          {one.failure === null ? <Sending /> : <Failed one={one} />}
        </li>
      ))}
      <li className="ld-visually-hidden">{t("incident.files.sending", { count: uploads.length })}</li>
    </ul>
  );
}

function Sending() {
  const { t } = useTranslation();
  return (
    <span className="upload-state">
      <Spin size="small" /> {t("incident.files.sendingOne")}
    </span>
  );
}

function Failed({ one }: { one: Upload }) {
  const { t } = useTranslation();
  if (one.failure === null) return null;
  return (
    <span className="upload-state">
      {t(one.failure)}
      <Button size="small" icon={<ReloadOutlined aria-hidden />} data-testid="upload-again" onClick={() => again(one)}>
        {t("incident.files.again")}
      </Button>
      <Button size="small" type="text" onClick={() => giveUp(one)}>
        {t("incident.files.giveUp")}
      </Button>
    </span>
  );
}

/** Those that go with a report which is being written. */
export function DraftFiles({ files, onRemove }: { files: readonly File[]; onRemove: (file: File) => void }) {
  const { t } = useTranslation();
  if (files.length === 0) return null;
  return (
    <ul className="uploads" data-testid="draft-files" data-count={files.length}>
      {files.map((file) => (
        <li key={`${file.name}-${file.lastModified}-${file.size}`}>
          <Preview file={file} />
          <span>{file.name}</span>
          <Button size="small" type="text" onClick={() => onRemove(file)}>
            {t("incident.files.remove")}
          </Button>
        </li>
      ))}
    </ul>
  );
}

function Preview({ file }: { file: File }) {
  const kind = kindOf(file.type);
  const address = useMemo(() => (kind === "photo" ? URL.createObjectURL(file) : null), [file, kind]);
  useEffect(() => () => (address === null ? undefined : URL.revokeObjectURL(address)), [address]);
  return address === null ? <KindIcon kind={kind} /> : <img src={address} alt="" />;
}

function KindIcon({ kind }: { kind: FileKind }) {
  switch (kind) {
    case "photo":
      return <PictureOutlined aria-hidden />;
    case "sound":
      return <SoundOutlined aria-hidden />;
    case "film":
      return <VideoCameraOutlined aria-hidden />;
    case "document":
      return <FileOutlined aria-hidden />;
    default:
      return kind satisfies never;
  }
}
