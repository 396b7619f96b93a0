import "./field-incidents.css";

import { PlusOutlined } from "@ant-design/icons";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";

import { useReplica } from "../../protocol/client";
import type { Incident } from "../../protocol/generated/Incident";
import { useShortName } from "../../ui/siteName";
import { useAttempt } from "../../ui/useAttempt";
import { DossierPanel } from "./DossierPanel";
import { Uploads } from "./Files";
import { IncidentCard } from "./IncidentCard";
import { LevelSign } from "./LevelSign";
import { listed, reportsOf, tasksOf } from "./order";
import { ReportForm } from "./ReportForm";
import { ResponseBar } from "./ResponseBar";
import { look, showOverCall, startReport, useIncidentsView } from "./store";

/** Incidents on a phone or a site's terminal: what I have to do, what I tell, what became of it. */
export function FieldIncidents() {
  const reporting = useIncidentsView((view) => view.reporting);
  const open = useReplica((replica) => replica.open !== null);
  if (reporting) {
    return (
      <div className="field-page">
        <ReportForm desk={false} />
      </div>
    );
  }
  return <div className="field-page">{open ? <DossierPanel onShowCall={backToCall} /> : <Lists />}</div>;
}

function backToCall() {
  showOverCall(false);
  void look(null);
}

function Lists() {
  const { t } = useTranslation();
  const { attempt } = useAttempt();
  const account = useReplica((replica) => replica.me.account);
  const incidents = useReplica((replica) => replica.incidents);
  const tasks = useMemo(() => tasksOf(incidents), [incidents]);
  const reports = useMemo(() => reportsOf(incidents, account), [incidents, account]);
  // What is a task or an own report stands there; here is what else this site answers for.
  const others = useMemo(
    () => listed(incidents, "open").filter((one) => one.handles && !tasks.includes(one) && !reports.includes(one)),
    [incidents, tasks, reports],
  );
  const cards = (list: readonly Incident[]) =>
    list.map((incident) => (
      <li key={incident.id}>
        <IncidentCard incident={incident} open={false} onOpen={() => attempt(() => look(incident.id))} />
        <Uploads incident={incident.id} />
      </li>
    ));
  return (
    <div className="field-lists">
      <button type="button" className="field-report" data-testid="start-report" onClick={startReport}>
        <PlusOutlined aria-hidden /> {t("incident.report")}
      </button>
      <section aria-label={t("incident.tasks")} data-testid="own-tasks">
        <h2>{t("incident.tasks")}</h2>
        {tasks.length === 0 && <p className="incident-none">{t("incident.tasksNone")}</p>}
        {tasks.map((incident) => (
          <Task key={incident.id} incident={incident} />
        ))}
      </section>
      {others.length > 0 && (
        <section aria-label={t("incident.handling")} data-testid="handled-incidents">
          <h2>{t("incident.handling")}</h2>
          <ul>{cards(others)}</ul>
        </section>
      )}
      <section aria-label={t("incident.ownReports")} data-testid="own-reports">
        <h2>{t("incident.ownReports")}</h2>
        {reports.length === 0 && <p className="incident-none">{t("incident.ownReportsNone")}</p>}
        <ul>{cards(reports)}</ul>
      </section>
    </div>
  );
}

function Task({ incident }: { incident: Incident }) {
  const { t } = useTranslation();
  const { attempt } = useAttempt();
  const shorten = useShortName();
  return (
    <article className="field-task" data-level={incident.level ?? "unknown"} data-testid={`task-${incident.id}`}>
      <header>
        <LevelSign level={incident.level} size={40} />
        <div>
          <h3>{incident.title}</h3>
          <p>
            {shorten(incident.siteName)}
            {incident.address !== "" && ` · ${incident.address}`}
          </p>
        </div>
        <button type="button" className="field-details" data-testid={`task-details-${incident.id}`} onClick={() => attempt(() => look(incident.id))}>
          {t("incident.details")}
        </button>
      </header>
      <ResponseBar incident={incident} />
    </article>
  );
}
