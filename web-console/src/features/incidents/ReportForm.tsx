import "./incidents.css";

import { AimOutlined, CloseOutlined } from "@ant-design/icons";
import { Button, Input, Select } from "antd";
import { type FormEvent, useId, useMemo } from "react";
import { useTranslation } from "react-i18next";

import { order, useReplica } from "../../protocol/client";
import type { IncidentId } from "../../protocol/generated/IncidentId";
import { useAttempt } from "../../ui/useAttempt";
import { DraftFiles } from "./Files";
import { FilesField } from "./FilesField";
import { KindPicker, LevelPicker } from "./LevelPicker";
import { clearDraft, closeReport, type ReportDraft, useIncidentsView, write } from "./store";
import { upload } from "./uploads";
import { useFix } from "./useFix";

type Props = {
  /** Whoever sits at a desk also says whose it is and how grave; on the spot only what is seen is asked for. */
  desk: boolean;
  onReported?: (incident: IncidentId) => void;
};

/** Tells of something that happened. What is written stays until it is sent. */
export function ReportForm({ desk, onReported }: Props) {
  const { t } = useTranslation();
  const { attempt, busy } = useAttempt();
  const draft = useIncidentsView((view) => view.draft);
  const id = useId();
  const { kind, title } = draft;
  const complete = kind !== null && title.trim() !== "";

  function submit(event: FormEvent) {
    event.preventDefault();
    if (kind === null || !complete) return;
    attempt(async () => {
      const reply = await order({
        type: "reportIncident",
        report: {
          kind,
          level: draft.level,
          title: title.trim(),
          text: draft.text.trim(),
          address: draft.address.trim(),
          place: draft.fix?.place ?? null,
          site: draft.site,
        },
      });
      clearDraft();
      closeReport();
      if (reply.type !== "reported") return;
      upload(reply.incident, draft.files);
      onReported?.(reply.incident);
    }, t("incident.done.reported"));
  }

  return (
    <form className="report-form" onSubmit={submit} data-testid="report-form">
      <header>
        <h2>{t("incident.report")}</h2>
        <Button
          type="text"
          icon={<CloseOutlined aria-hidden />}
          aria-label={t("incident.close")}
          data-testid="report-close"
          onClick={closeReport}
        />
      </header>
      <KindPicker value={kind} onChange={(next) => write({ kind: next })} />
      <label htmlFor={`${id}-title`}>{t("incident.field.title")}</label>
      <Input
        id={`${id}-title`}
        size="large"
        maxLength={80}
        value={title}
        placeholder={t("incident.titlePlaceholder")}
        data-testid="report-title"
        onChange={(event) => write({ title: event.target.value })}
      />
      <label htmlFor={`${id}-text`}>
        {t("incident.field.text")} <small>{t("incident.optional")}</small>
      </label>
      <Input.TextArea
        id={`${id}-text`}
        autoSize={{ minRows: 3, maxRows: 8 }}
        maxLength={2000}
        value={draft.text}
        placeholder={t("incident.textPlaceholder")}
        data-testid="report-text"
        onChange={(event) => write({ text: event.target.value })}
      />
      <label htmlFor={`${id}-address`}>
        {t("incident.field.address")} <small>{t("incident.optional")}</small>
      </label>
      <Input
        id={`${id}-address`}
        size="large"
        maxLength={200}
        value={draft.address}
        placeholder={t("incident.addressPlaceholder")}
        data-testid="report-address"
        onChange={(event) => write({ address: event.target.value })}
      />
      <Position draft={draft} automatic={!desk} />
      <DraftFiles files={draft.files} onRemove={(file) => write({ files: draft.files.filter((one) => one !== file) })} />
      {/* A voice note may end long after this was drawn: what is there then counts. */}
      <FilesField onFiles={(files) => write({ files: [...useIncidentsView.getState().draft.files, ...files] })} />
      {desk && (
        <>
          <SiteChoice draft={draft} />
          <LevelPicker value={draft.level} onChange={(level) => write({ level })} />
        </>
      )}
      <footer>
        {!complete && <span>{t("incident.reportHint")}</span>}
        <Button type="primary" size="large" htmlType="submit" disabled={!complete} loading={busy} data-testid="report-submit">
          {t("incident.reportSubmit")}
        </Button>
      </footer>
    </form>
  );
}

/** The device's own place; a desk that takes a call is elsewhere and only takes it when told to. */
function Position({ draft, automatic }: { draft: ReportDraft; automatic: boolean }) {
  const { t } = useTranslation();
  const { fix } = draft;
  const { locating, failure, locate } = useFix(automatic && fix === null, (found) => write({ fix: found }));
  return (
    <div className="report-position" data-testid="report-position" data-state={fix === null ? (locating ? "locating" : (failure ?? "none")) : "taken"}>
      <Button icon={<AimOutlined aria-hidden />} loading={locating} data-testid="report-locate" onClick={locate}>
        {t(locating ? "incident.locating" : fix === null ? "incident.locate" : "incident.locateAgain")}
      </Button>
      <span role="status" className="ld-number">
        {fix !== null && (
          <>
            {fix.place.longitude.toFixed(5)}, {fix.place.latitude.toFixed(5)} · {t("incident.accuracy", { metres: fix.accuracyMetres })}
          </>
        )}
        {fix === null && failure !== null && t(`incident.locateFailure.${failure}`)}
      </span>
      {fix !== null && (
        <Button type="text" size="small" onClick={() => write({ fix: null })}>
          {t("incident.locateRemove")}
        </Button>
      )}
    </div>
  );
}

function SiteChoice({ draft }: { draft: ReportDraft }) {
  const { t } = useTranslation();
  const id = useId();
  const sites = useReplica((replica) => replica.sites);
  const own = useReplica((replica) => replica.me.site);
  const options = useMemo(
    () =>
      [...sites.values()].map(({ code, name }) => ({
        value: code,
        label: code === own ? t("incident.ownSite", { name }) : name,
      })),
    [sites, own, t],
  );
  return (
    <>
      <label htmlFor={id}>{t("incident.field.site")}</label>
      <Select
        id={id}
        showSearch={{ optionFilterProp: "label" }}
        value={draft.site ?? own}
        options={options}
        data-testid="report-site"
        onChange={(site) => write({ site })}
      />
    </>
  );
}
